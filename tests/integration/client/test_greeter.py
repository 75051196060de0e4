"""The example bot, started as its docstring says, does what it promises."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from client import Message, Room
from tests.integration.client.conftest import NewClient
from tests.integration.client.hearing import PATIENCE, hear
from tests.integration.student import PASSWORD
from tests.services import Stack

ROOT = Path(__file__).parents[3]


async def start(url: str, room: str, password: str = PASSWORD) -> asyncio.subprocess.Process:
    command = ["-m", "client.examples.greeter", "--url", url, "greeter@example.org", room]
    environment = {**os.environ, "BOT_PASSWORD": password}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe
    )


@asynccontextmanager
async def greeter(url: str, room: str) -> AsyncIterator[str]:
    """Running, and in the room; the first line it prints. It ends well when it is told to."""
    bot = await start(url, room)
    assert bot.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            yield (await bot.stdout.readline()).decode()
    finally:
        if bot.returncode is None:
            bot.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            _, complaints = await bot.communicate()
    assert (bot.returncode, b"Traceback" in complaints) == (0, False), complaints.decode()


async def answer(room: Room, command: str) -> str:
    """What the bot says to it."""
    said = await room.say(command)
    while True:
        message = await hear(room, Message)
        if message.reply_to == said.msg_id:
            return message.text


async def test_it_greets_and_keeps_the_timer(chain: Stack, person: NewClient) -> None:
    anna = await person("Anna")
    async with greeter(chain.url, "The bot's room") as line:
        (info,) = await anna.rooms(search="bot's")
        assert info.id in line
        async with anna.room(info.id) as room:
            assert (await hear(room, Message)).text.startswith("Welcome, Anna!")
            assert await answer(room, "/focus 25") == "25 minutes of focus, then 5 of break. Go!"
            assert (await room.timer()).focus_s == 25 * 60
            assert (await answer(room, "/focus 50 10")).startswith("50 minutes of focus, then 10")
            assert await answer(room, "/pause") == "The timer waits."
            assert await answer(room, "/stop") == "The timer is stopped."
            assert await answer(room, "/pause") == "The timer is stopped: start it first."
            assert "From 1 to 240" in await answer(room, "/focus 1000000")
            assert "/focus 25" in await answer(room, "/focus soon")
            assert (await room.timer()).state == "stopped"
    async with asyncio.timeout(PATIENCE):
        bot = await start(chain.url, "The bot's room", password="not that one")
        _, complaints = await bot.communicate()
    assert (bot.returncode, complaints) == (1, b"INVALID_CREDENTIALS: The e-mail or the password is wrong.\n")
    async with greeter(chain.url, "The bot's room") as line:  # again: with its account and its room
        assert info.id in line
