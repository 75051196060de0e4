"""Real browsers against the real services: nothing here is a stand-in but the microphone.

    make e2e                                   all of it, some minutes
    make e2e ARGS="-k firefox"                 a part
    make screenshots                           pictures of every page

dev/namespace.py says why pytest starts itself anew. What is measured stands at the end of the run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.e2e import namespace
from tests.e2e.browsers import chromium
from tests.e2e.person import PATIENCE_MS, Person
from tests.e2e.tone import write_tone
from tests.services import Stack

TONE_HZ = 440

NewPerson: TypeAlias = Callable[..., Awaitable[Person]]
Figure: TypeAlias = Callable[[str], None]

# As long as for every other step: its own 5 s are not enough for a busy machine.
expect.set_options(timeout=PATIENCE_MS)

FIGURE = "figure"


def pytest_configure(config: pytest.Config) -> None:
    if namespace.inside() or config.option.collectonly:
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    namespace.enter("pytest", config.invocation_params.args)
    capture.start_global_capturing()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    found = [text for report in reports for name, text in report.user_properties if name == FIGURE]
    if found:
        terminalreporter.section("figures")
        for figure in found:
            terminalreporter.write_line(str(figure))


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Something measured, for the end of the run."""
    return partial(record_property, FIGURE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser lives as long as the run, and so must the loop that talks to it."""
    for item in items:
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with namespace.stack() as running:
        yield running


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every Chromium's microphone hears: 440 Hz."""
    return write_tone(tmp_path_factory.mktemp("tone") / "tone.wav", TONE_HZ)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tone: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(**chromium(tone))
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def new_person(browser: Browser, stack: Stack) -> AsyncIterator[NewPerson]:
    """Makes people, each in a browser context of their own; they have not signed in yet."""
    async with AsyncExitStack() as people:

        async def make(name: str, *, url: str = stack.url, **context: Any) -> Person:
            return await people.enter_async_context(Person.opened(browser, url, name, **context))

        yield make
