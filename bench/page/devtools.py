"""Chromium with nobody in it but us: no helper's scripts in the page, no events that nobody asked for.

Playwright watches each request and puts scripts of its own into each page, on the thread that is measured
here. So the first load is measured over the DevTools protocol alone, with as few of its domains as can be.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.browsers import FLAGS, program

PATIENCE_S = 60


class DevTools:
    """The browser's own connection. A page is a session of it, its answers and events told apart by id."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._events: dict[str, asyncio.Queue[dict[str, Any]]] = {}

    async def read(self) -> None:
        async for message in self._socket:
            said = message.json()
            if "id" not in said:
                events = self._events.get(said.get("sessionId", ""))
                if events is not None:
                    events.put_nowait(said)
            elif "error" in said:
                self._asked.pop(said["id"]).set_exception(RuntimeError(said["error"]["message"]))
            else:
                self._asked.pop(said["id"]).set_result(said["result"])

    async def send(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        of_session = {"sessionId": session} if session else {}
        await self._socket.send_json({"id": number, "method": method, "params": params, **of_session})
        async with asyncio.timeout(PATIENCE_S):
            result: dict[str, Any] = await answer
        return result

    @contextlib.asynccontextmanager
    async def tab(self, context: str) -> AsyncIterator[Tab]:
        """A new one, empty."""
        made = await self.send("Target.createTarget", url="about:blank", browserContextId=context)
        target = made["targetId"]
        attached = await self.send("Target.attachToTarget", targetId=target, flatten=True)
        session = attached["sessionId"]
        events = self._events[session] = asyncio.Queue()
        try:
            yield Tab(self, session, events)
        finally:
            await self.send("Target.closeTarget", targetId=target)
            del self._events[session]

    @contextlib.asynccontextmanager
    async def context(self) -> AsyncIterator[str]:
        """A profile of its own, with an empty cache; the id of it."""
        made = await self.send("Target.createBrowserContext")
        context: str = made["browserContextId"]
        try:
            yield context
        finally:
            await self.send("Target.disposeBrowserContext", browserContextId=context)


class Tab:
    def __init__(self, browser: DevTools, session: str, events: asyncio.Queue[dict[str, Any]]) -> None:
        self._browser, self._session, self._events = browser, session, events

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._browser.send(method, self._session, **params)

    async def event(self, method: str) -> dict[str, Any]:
        """The next one of these; others are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while (event := await self._events.get())["method"] != method:
                pass
        params: dict[str, Any] = event["params"]
        return params

    async def trace(self, categories: str) -> None:
        await self.send("Tracing.start", transferMode="ReportEvents", categories=categories)

    async def traced(self) -> list[dict[str, Any]]:
        """All events since `trace`."""
        await self.send("Tracing.end")
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE_S):
            while (event := await self._events.get())["method"] != "Tracing.tracingComplete":
                found += event["params"]["value"] if event["method"] == "Tracing.dataCollected" else []
        return found

    async def evaluate(self, expression: str) -> Any:
        found = await self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"]))
        return found["result"].get("value")


@contextlib.asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[DevTools]:
    """A browser whose profile is in `folder`."""
    flags = [*FLAGS, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}/devtools"]
    name = program("Chromium")
    assert name is not None
    process = await asyncio.create_subprocess_exec(
        name, *flags, "about:blank", stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        address = await _address(process.stderr)
        rest = asyncio.create_task(process.stderr.read())  # or it would wait for us to read its complaints
        async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
            browser = DevTools(socket)
            reading = asyncio.create_task(browser.read())
            try:
                yield browser
            finally:
                reading.cancel()
                rest.cancel()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _address(said: asyncio.StreamReader) -> str:
    async with asyncio.timeout(PATIENCE_S):
        while b"DevTools listening on " not in (line := await said.readline()):
            if not line:
                raise RuntimeError("Chromium did not start.")
    return line.decode().split()[-1]
