"""The load tool: on our servers it talks, on others it does nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from bench.voice import __main__ as tool
from bench.voice import consent
from bench.voice.consent import Load, NotAllowed
from tests import services


@pytest.mark.timeout(240)  # a machine may be slow
def test_people_come_talk_and_leave_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    with services.running() as chain:
        crowd = ["--register", "--people", "3", "--rooms", "2", "--speaking", "2", "--seconds", "1"]
        status = tool.main(["--url", chain.url, *crowd, "--json", str(file)])
        assert status == 0, capsys.readouterr().out
        left = [
            asyncio.run(_count(chain.database.url(), table)) for table in ("auth.accounts", "rooms.rooms")
        ]
    assert left == [0, 0]
    found = json.loads(file.read_text())
    assert (found["came"], found["speaking"], found["troubles"]) == (6, 4, {})
    assert found["received_per_second"] > found["sent_per_second"] > 0
    assert 0 < found["delay_p50_ms"] <= found["delay_p99_ms"]
    assert "6 of 6 came, 4 of them spoke" in capsys.readouterr().out


async def _count(database: str, table: str) -> int:
    connection = await asyncpg.connect(database)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def strangers_server(document: str) -> AsyncIterator[tuple[str, list[str]]]:
    """Somebody's server with this at /openapi.json, and what it was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text=document, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}", asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("document", ['{"info": {"title": "Another"}}', "{}", "[]", "no JSON"])
async def test_a_server_without_our_name_is_asked_for_it_and_nothing_else(document: str) -> None:
    async with strangers_server(document) as (url, asked):
        plan, _ = tool.parsed(["--url", url, "--register"])
        with pytest.raises(NotAllowed, match="does not answer with our name"):
            await tool.run(plan)
    assert asked == ["/openapi.json"]


async def test_where_nothing_answers_it_says_so() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(NotAllowed, match="does not answer"):
            await consent.is_ours(http, "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("url", "people", "seconds", "asks"),
    [
        ("http://localhost:8080", 20, 60, False),
        ("http://127.0.0.1:8080", 20, 60, False),
        ("http://[::1]:8080", 1, 1, False),
        ("http://localhost:8080", 21, 60, True),
        ("http://localhost:8080", 20, 61, True),
        ("https://study.example.org", 1, 1, True),
        ("http://192.168.1.10:8080", 1, 1, True),
    ],
)
def test_it_asks_before_others_would_notice(url: str, people: int, seconds: float, asks: bool) -> None:
    assert (Load(url, people, seconds).question is not None) == asks


def test_nobody_to_ask_is_no(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["--url", "https://study.example.org", "--register"]) == 2
    assert "--i-run study.example.org" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "people", "seconds"),
    [
        ("ftp://study.example.org", 1, 1),
        ("study.example.org", 1, 1),
        ("http://x", 501, 1),
        ("http://x", 1, 601),
    ],
)
def test_some_loads_there_are_not(url: str, people: int, seconds: float) -> None:
    with pytest.raises(NotAllowed):
        Load(url, people, seconds)
