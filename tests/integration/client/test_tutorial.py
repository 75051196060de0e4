"""The programs of docs/client-tutorial.md, taken from the page and run as it says."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from client import Client, Message, PersonJoined, Room
from tests.e2e.tone import write_tone
from tests.integration.client.conftest import NewClient
from tests.integration.client.hearing import PATIENCE, hear
from tests.integration.student import PASSWORD
from tests.media.browser import Tone
from tests.services import Stack

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r'^```python title="([^"]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each program of the page: its blocks, one after the other."""
    folder = tmp_path_factory.mktemp("tutorial")
    for title, code in BLOCK.findall((ROOT / "docs/client-tutorial.md").read_text("utf-8")):
        with (folder / title).open("a", encoding="utf-8") as program:
            program.write(code)
    assert {path.name for path in folder.iterdir()} == {"chat.py", "short.py", "speak.py"}
    return folder


class Running:
    """A program, by its lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().rstrip("\n")

    def says(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def end(self) -> tuple[int | None, str, str]:
        """Its status, and all that it had still to say, after its input has ended."""
        said, complaints = await self.process.communicate(b"")
        return self.process.returncode, said.decode(), complaints.decode()


@asynccontextmanager
async def running(program: Path, url: str, *arguments: str) -> AsyncIterator[Running]:
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "CHAT_URL": url, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), *arguments, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        async with asyncio.timeout(2 * PATIENCE):
            yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def two_in_a_room(person: NewClient) -> tuple[Client, Client, str]:
    anna, boris = await person("Anna"), await person("Boris")
    return anna, boris, (await anna.create_room("Tutorial")).id


async def until_here(room: Room, who: Client) -> None:
    while who.user.id not in room.people:
        await hear(room, PersonJoined)


async def test_the_long_way(chain: Stack, person: NewClient, programs: Path) -> None:
    anna, boris, room_id = await two_in_a_room(person)
    async with (
        anna.room(room_id) as room,
        running(programs / "chat.py", chain.url, boris.user.email, PASSWORD, room_id) as chat,
    ):
        await until_here(room, boris)
        await room.say("hello")
        assert await chat.line() == "Anna: hello"
        chat.says("hi")
        assert (await hear(room, Message)).text == "hello"
        assert (await hear(room, Message)).text == "hi"
        assert await chat.line() == "Boris: hi"

        chain.kill("rooms")
        async with asyncio.timeout(PATIENCE):
            while room.connected:  # noqa: ASYNC110 (no event tells of it)
                await asyncio.sleep(0.01)
        chat.says("said while nobody was there")
        chain.start("rooms")
        assert (await hear(room, Message)).text == "said while nobody was there"
        await room.say("last")
        assert [await chat.line(), await chat.line()] == [
            "Boris: said while nobody was there",
            "Anna: last",
        ]
        assert await chat.end() == (0, "", "")
        texts = [item.text for item in await room.history()]
        assert texts == ["last", "said while nobody was there", "hi", "hello"]
    chain.wait_until_ready()


async def test_the_long_way_ends_with_being_sent_out(chain: Stack, person: NewClient, programs: Path) -> None:
    anna, boris, room_id = await two_in_a_room(person)
    async with (
        anna.room(room_id) as room,
        running(programs / "chat.py", chain.url, boris.user.email, PASSWORD, room_id) as chat,
    ):
        await until_here(room, boris)
        await room.moderate("kick", boris.user.id)
        chat.says("too late")
        status, _, complaints = await chat.end()
        assert (status, "KICKED" in complaints) == (1, True), complaints


async def test_the_short_way(chain: Stack, person: NewClient, programs: Path) -> None:
    anna, boris, room_id = await two_in_a_room(person)
    async with (
        anna.room(room_id) as room,
        running(programs / "short.py", chain.url, chain.url, boris.user.email, PASSWORD, room_id) as chat,
    ):
        await until_here(room, boris)
        await room.say("hello")
        assert await chat.line() == "Anna: hello"
        chat.says("hi")
        assert await chat.line() == "Boris: hi"
        assert (await chat.end())[::2] == (0, "")


async def test_speaking(chain: Stack, person: NewClient, programs: Path, tmp_path: Path) -> None:
    anna, boris, room_id = await two_in_a_room(person)
    sound = write_tone(tmp_path / "tone.wav", 440, seconds=2)
    arguments = (chain.url, boris.user.email, PASSWORD, room_id, str(sound))
    async with (
        anna.room(room_id) as room,
        running(programs / "speak.py", chain.url, *arguments) as bot,
    ):
        voice = await room.join_voice(Tone(660), slots=1)
        async for user_id, _ in voice.heard():
            assert user_id == boris.user.id
            break
        assert await bot.line() == "Anna: 960 samples"
