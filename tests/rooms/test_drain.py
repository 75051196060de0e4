"""Stopping: people are sent elsewhere, what is being said is saved, and the process ends well."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import asyncpg

from dev.ports import free_port
from rooms.config import Config
from rooms.serve import Ports
from tests.rooms import kit

ROOT = Path(__file__).parents[2]


async def test_people_are_told_then_closed(stack: kit.Stack) -> None:
    replica = stack.serving(drain_ms=100)
    async with stack.talking_to(*await replica.__aenter__()) as rooms:
        (ann,) = await rooms.enter(await rooms.create(), 1)
        closed, _ = await asyncio.gather(ann.closed(), replica.__aexit__(None, None, None))
    assert closed == (4200, "DRAINING")
    assert ann.seen[-1] == {"type": "reconnect", "payload": {"within_ms": 100}}


async def test_what_is_being_saved_is_acked_before_the_close(stack: kit.Stack) -> None:
    replica = stack.serving()
    async with stack.talking_to(*await replica.__aenter__()) as rooms:
        (ann,) = await rooms.enter(await rooms.create(), 1)
        outside = await asyncpg.connect(stack.database_url)
        held = outside.transaction()
        await held.start()
        await outside.execute("SELECT FROM rooms.heads FOR UPDATE")
        await ann.send("chat", {"message": "last words"})
        await ann.send("ping")
        await ann.until("pong")  # so it is being saved
        leaving = asyncio.create_task(replica.__aexit__(None, None, None))
        await ann.until("reconnect")
        await held.commit()
        closed, _ = await asyncio.gather(ann.closed(), leaving)
        await outside.close()
    assert closed == (4200, "DRAINING")
    assert [frame["type"] for frame in ann.seen[-3:]] == ["reconnect", "chat", "chat_ack"]


async def test_those_who_do_not_know_reconnect_are_closed_one_after_the_other(stack: kit.Stack) -> None:
    replica = stack.serving(drain_ms=20_000)
    async with stack.talking_to(*await replica.__aenter__()) as rooms:
        first, *others = await rooms.enter(await rooms.create(), *range(1, 11))
        leaving = asyncio.create_task(replica.__aexit__(None, None, None))
        assert await first.closed() == (4200, "DRAINING")
        await others[-1].send("ping")
        await others[-1].until("pong")  # whose turn is much later
        await asyncio.gather(*(other.ws.close() for other in others))
        await leaving  # and nobody waits for an empty house


async def test_whose_turn_it_is_keeps_the_connection_while_something_is_saved(stack: kit.Stack) -> None:
    replica = stack.serving(drain_ms=100)
    async with stack.talking_to(*await replica.__aenter__()) as rooms:
        ann, bob = await rooms.enter(await rooms.create(), 1, 2)
        outside = await asyncpg.connect(stack.database_url)
        held = outside.transaction()
        await held.start()
        await outside.execute("SELECT FROM rooms.heads FOR UPDATE")
        await ann.send("chat", {"message": "last words"})
        await ann.send("ping")
        await ann.until("pong")
        leaving = asyncio.create_task(replica.__aexit__(None, None, None))
        assert await bob.closed() == (4200, "DRAINING")  # so it was ann's turn before
        await held.commit()
        closed, _ = await asyncio.gather(ann.closed(), leaving)
        await outside.close()
    assert closed == (4200, "DRAINING")
    assert [frame["type"] for frame in ann.seen[-3:]] == ["reconnect", "chat", "chat_ack"]


async def test_the_process_stops_with_status_0(stack: kit.Stack) -> None:
    """The real program: `python -m rooms`, and SIGTERM."""
    grpc_port, ws_port = free_port(), free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rooms",
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": stack.database_url,
            "AUTH_ADDR": stack.auth_addr,
            "MEDIA_ADDR": stack.media_addr,
            "ROOMS_LISTEN": f"127.0.0.1:{grpc_port}",
            "ROOMS_WS_PORT": str(ws_port),
            "ROOMS_DRAIN_MS": "100",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    log = b""
    while not re.search(rb"\] ready\b", log):
        line = await asyncio.wait_for(process.stderr.readline(), kit.PATIENCE)
        assert line, log
        log += line
    config = Config(database_url=stack.database_url)
    async with stack.talking_to(Ports(grpc_port, ws_port), config) as rooms:
        (ann,) = await rooms.enter(await rooms.create(), 1)
        await ann.send("chat", {"message": "hello"})
        await ann.until("chat_ack")

        process.send_signal(signal.SIGTERM)
        assert await ann.closed() == (4200, "DRAINING")
    assert ann.seen[-1]["type"] == "reconnect"
    log += await process.stderr.read()
    assert await process.wait() == 0, log
    assert b"Traceback" not in log
