"""Firefox, driven over WebDriver BiDi, which it speaks by itself: a websocket and JSON, no driver between."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from dev.child import die_with_parent
from dev.ports import free_port
from tests.e2e.browsers import program

START_S = 30
ANSWER_S = 30
FAKE_TONE_HZ = 600

PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.audio.fake_frequency": FAKE_TONE_HZ,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "intl.accept_languages": "en-GB",
    # Nothing is asked of the outside.
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "captivedetect.canonicalURL": "",
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}


class Refused(Exception):
    """What Firefox would not do, in its own words."""


class Firefox:
    """One page in a browser of its own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._context = ""

    async def begin(self, preload: str) -> None:
        """Opens the session; `preload` runs in the page before its own scripts."""
        await self._call("session.new", capabilities={})
        tree = await self._call("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]
        await self._call("script.addPreloadScript", functionDeclaration=f"() => {{ {preload} }}")

    async def goto(self, url: str) -> None:
        await self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The expression's value, awaited when it is a promise; it must be what JSON can say."""
        answer = await self._call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] == "exception":
            raise Refused(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    async def _call(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(ANSWER_S):
            while True:
                message = await self._socket.receive_json()
                if message.get("id") == number:
                    break
        if message["type"] == "error":
            raise Refused(f"{method}: {message['error']}: {message['message']}")
        return message["result"]


@asynccontextmanager
async def running(profile: Path, preload: str) -> AsyncIterator[Firefox]:
    """A headless Firefox with a new profile in `profile`."""
    port = free_port()
    process = _start(profile, port)
    try:
        async with aiohttp.ClientSession() as http, await _connected(http, port) as socket:
            firefox = Firefox(socket)
            await firefox.begin(preload)
            yield firefox
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)


def _start(profile: Path, port: int) -> subprocess.Popen[bytes]:
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(lines))
    address = f"--remote-debugging-port={port}"
    return subprocess.Popen(
        [program("Firefox") or "firefox", "--headless", "--no-remote", address, "--profile", str(profile)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"HOME": str(profile), "PATH": os.defpath, "MOZ_CRASHREPORTER_DISABLE": "1"},
        preexec_fn=die_with_parent(signal.SIGKILL),
    )


async def _connected(http: aiohttp.ClientSession, port: int) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(START_S):
        while True:
            try:
                return await http.ws_connect(f"ws://127.0.0.1:{port}/session", max_msg_size=0)
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
