"""/metrics: what is on every page, where it is, and where it is not."""

import asyncio
import socket

import aiohttp
import pytest

from common import VERSION, metrics
from common.config import ConfigError
from dev.ports import free_port
from dev.tools import ROOT
from tests import figures


async def test_every_page_tells_what_runs_and_how_the_process_and_its_loop_do() -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with metrics.serve(listen, metrics.Page("auth")), figures.page(listen) as page:
        found = await page.until(lambda found: found("cwrk_event_loop_lag_seconds_count") > 0)
        assert found.values_of("cwrk_build_info", "service") == {"auth"}
        assert found.values_of("cwrk_build_info", "version") == {VERSION}
        assert found("process_resident_memory_bytes") > 1e6
        assert found("process_open_fds") > 0
        before = found("cwrk_event_loop_tasks")
        one_more = asyncio.create_task(asyncio.sleep(60))
        assert (await page())("cwrk_event_loop_tasks") == before + 1
        one_more.cancel()


def test_the_version_is_the_projects() -> None:
    assert f'\nversion = "{VERSION}"\n' in (ROOT / "pyproject.toml").read_text()


async def test_a_loop_that_was_held_up_is_late() -> None:
    page = metrics.Page("rooms")
    watching = asyncio.create_task(page.watch_loop())
    await asyncio.sleep(0)
    held_until = asyncio.get_running_loop().time() + metrics.LAG_SECONDS + 0.3
    while asyncio.get_running_loop().time() < held_until:
        pass
    await asyncio.sleep(0.01)
    assert (page.registry.get_sample_value("cwrk_event_loop_lag_seconds_sum") or 0) >= 0.29
    watching.cancel()


async def test_without_the_setting_there_is_none() -> None:
    async with metrics.serve("", metrics.Page("auth")):
        assert [task for task in asyncio.all_tasks() if task.get_name() == "metrics"] == []


async def test_a_taken_address_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"METRICS_LISTEN={listen} cannot be listened on"):
            async with metrics.serve(listen, metrics.Page("auth")):
                pass


async def test_there_is_nothing_else_at_that_address() -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with (
        metrics.serve(listen, metrics.Page("auth")),
        aiohttp.ClientSession(f"http://{listen}") as session,
        session.get("/") as answer,
    ):
        assert answer.status == 404
