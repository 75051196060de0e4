"""The signing key is rotated while people work: nobody with a good token is told that it does not hold."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import aiohttp
import jwt
import pytest

from tests import services
from tests.integration.student import PASSWORD, Student

WORKERS = 4
# Keys change places in two of these; 30 s in earnest. Short, but long beside what a busy machine takes
# to read the folder.
REFETCH_SECONDS = 3


@pytest.fixture
def quick_chain() -> Iterator[services.Stack]:
    settings = {"KEY_REFETCH_SECONDS": str(REFETCH_SECONDS), "RATE_PERSON": "0", "RATE_ADDRESS": "0"}
    with services.running(settings=settings) as running:
        yield running


def keys(chain: services.Stack, *words: str) -> list[str]:
    """`python -m auth keys …`: what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "auth", "keys", *words],
        cwd=services.ROOT,
        env={**os.environ, **chain.env},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.splitlines()


@dataclass
class Load:
    """Everything asked, all the time: `wrong` is what was refused, `kids` whose tokens were taken."""

    chain: services.Stack
    http: aiohttp.ClientSession
    room: str
    token: str
    refresh_token: str
    taken: int = 0
    wrong: list[str] = field(default_factory=list)
    kids: set[str] = field(default_factory=set)
    new_key_seen: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> None:
        """With the newest token there is: gateway and rooms both verify it."""
        while True:
            token = self.token
            headers = {"Authorization": f"Bearer {token}"}
            async with self.http.get(f"{self.chain.url}/rooms/{self.room}", headers=headers) as answer:
                if answer.status == 200:
                    self._took(token)
                else:
                    self.wrong.append(await answer.text())

    async def connect(self) -> None:
        while True:
            token = self.token
            url = f"{self.chain.ws_url}/ws/rooms/{self.room}?access_token={token}"
            try:
                async with self.http.ws_connect(url) as socket:
                    assert (await socket.receive_json())["type"] == "hello"
                self._took(token)
            except aiohttp.WSServerHandshakeError as refused:
                self.wrong.append(f"websocket: {refused.status}")

    async def refresh(self) -> None:
        """The next token is used by everybody at once."""
        while True:
            body = {"refreshToken": self.refresh_token}
            async with self.http.post(f"{self.chain.url}/auth/refresh", json=body) as answer:
                pair = await answer.json()
                if answer.status != 200:
                    self.wrong.append(str(pair))
                    continue
            self.token, self.refresh_token = pair["accessToken"], pair["refreshToken"]

    async def disturb(self) -> None:
        """A stranger uses up what fetches of the key set there are."""
        number = 0
        while True:
            number += 1
            head = json.dumps({"alg": "RS256", "typ": "at+jwt", "kid": f"unknown-{number}"})
            forged = base64.urlsafe_b64encode(head.encode()).rstrip(b"=").decode()
            headers = {"Authorization": f"Bearer {forged}.e30.e30"}
            async with self.http.get(f"{self.chain.url}/rooms", headers=headers) as answer:
                assert answer.status == 401

    def _took(self, token: str) -> None:
        self.taken += 1
        self.kids.add(jwt.get_unverified_header(token)["kid"])
        if len(self.kids) > 1:
            self.new_key_seen.set()


async def test_no_good_token_is_refused_while_the_key_changes(quick_chain: services.Stack) -> None:
    chain = quick_chain
    async with Student.registered(chain.url, chain.ws_url, "Anna") as anna, aiohttp.ClientSession() as http:
        room = await anna.create_room("Load")
        await anna.post(f"/rooms/{room}/join")
        pair = await anna.post("/auth/login", {"email": anna.email, "password": PASSWORD})
        load = Load(chain, http, room, pair["accessToken"], pair["refreshToken"])
        works = [load.connect, load.refresh, load.disturb, *[load.ask] * WORKERS]
        tasks = [asyncio.create_task(work()) for work in works]
        try:
            listed = await asyncio.to_thread(keys, chain, "rotate")
            assert "signs from" in listed[0]
            async with asyncio.timeout(30):
                await load.new_key_seen.wait()
            done, _ = await asyncio.wait(tasks, timeout=REFETCH_SECONDS)  # go on with the new key
            assert not done, done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    assert load.wrong == []
    assert load.taken > 100, load.taken
    assert load.token not in chain.logs()
