"""Logs: one line an event, readable by machines when asked, and never a secret in it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from common import log


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave the process's logging to the next test as this one found it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_has_what_is_bound_and_hides_what_is_secret(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("rooms", format="json")
    with structlog.contextvars.bound_contextvars(room_id="r"):
        log.get("test").info("connection open", password="hunter2", sdp="v=0", user_id=7)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["service"], line["room_id"], line["user_id"]) == (
        "connection open",
        "rooms",
        "r",
        7,
    )
    assert (line["password"], line["sdp"]) == ("[hidden]", "[hidden]")


def test_a_library_is_heard_only_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("rooms", format="json")
    logging.getLogger("aiohttp.server").info("chatter")
    logging.getLogger("aiohttp.server").error("trouble")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["trouble"]


def test_an_exception_is_in_the_log_for_machines_too(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("rooms", format="json")
    log.get("test").error("unexpected error", exc_info=ValueError("why"))
    assert json.loads(capsys.readouterr().err)["exception"][0]["exc_value"] == "why"


@pytest.mark.parametrize("format", ["console", "json"])
def test_a_traceback_does_not_tell_the_values_of_variables(
    capsys: pytest.CaptureFixture[str],
    format: str,  # noqa: A002  # the setting's own name
) -> None:
    log.configure("rooms", format=format)
    token = "of a caller"
    try:
        int("why")
    except ValueError:
        log.get("test").exception("unexpected error")
    told = capsys.readouterr().err
    assert "why" in told
    assert token not in told
