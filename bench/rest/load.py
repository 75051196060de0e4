"""A light load: raw HTTP/1.1 over kept connections, one request at a time on each.

It shares the machine with what it measures, so it does as little as it can: no
HTTP library, an answer is found by its Content-Length.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

# Makes the next request from the body of the answer before, which is empty at first; an empty one is the end.
Make = Callable[[bytes], bytes]


@dataclass
class Seen:
    """The latencies of a run, in seconds, and how many answers were no success.

    `put_off`: answers that said "come back in a second", which are not among the latencies.
    """

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    put_off: int = 0
    first_failure: str = ""


def request(method: str, path: str, body: Any = None, *, token: str = "", address: str = "") -> bytes:
    """The bytes of a request; `address`: whom to claim to speak for, as a proxy does."""
    raw = json.dumps(body).encode() if body is not None else b""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(raw)}"]
    if body is not None:
        lines.append("Content-Type: application/json")
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if address:
        lines.append(f"X-Forwarded-For: {address}")
    return "\r\n".join([*lines, "", ""]).encode() + raw


async def ask(port: int, asked: bytes) -> Any:
    """One request on a connection of its own; the JSON of the answer. Raises RuntimeError."""
    seen, answers = Seen(), list[bytes]()

    def make(answer: bytes) -> bytes:
        answers.append(answer)
        return asked if len(answers) == 1 else b""

    await run(port, [make], count=2, seen=seen)
    if seen.failed:
        raise RuntimeError(seen.first_failure)
    return json.loads(answers[1])


class Connection(asyncio.Protocol):
    """Asks until `asking` is false or `left` is used up, then closes."""

    def __init__(self, make: Make, seen: Seen, left: int) -> None:
        self._make, self._seen, self._left = make, seen, left
        self.asking = True
        self.closed = asyncio.get_running_loop().create_future()
        self._buffer = b""
        self._whole = 0
        self._head = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._ask(b"")

    def _ask(self, answer: bytes) -> None:
        asked = self._make(answer)  # of the last answer too: it may have the next run's token
        if not asked or not self.asking or self._left == 0:
            self._transport.close()
            return
        self._left -= 1
        self._began = time.perf_counter()
        self._transport.write(asked)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._whole:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            at = self._buffer.find(b"Content-Length: ", 0, head)
            length = int(self._buffer[at + 16 : self._buffer.index(b"\r", at)]) if at >= 0 else 0
            self._head, self._whole = head + 4, head + 4 + length
        if len(self._buffer) < self._whole:
            return
        status, body = self._buffer[9:12], self._buffer[self._head : self._whole]
        seconds = time.perf_counter() - self._began
        self._buffer, self._whole = b"", 0
        if status == b"503":  # who is told to come back does
            self._seen.put_off += 1
            asyncio.get_running_loop().call_later(1.0, self._ask, b"")
            return
        self._seen.seconds.append(seconds)
        if status[:1] != b"2":
            self._seen.failed += 1
            self._seen.first_failure = self._seen.first_failure or body.decode()
        self._ask(body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def run(
    port: int, makes: list[Make], *, seconds: float = 0.0, count: int = -1, seen: Seen | None = None
) -> Seen:
    """One connection for each of `makes`, for so many seconds or so many requests each."""
    seen = Seen() if seen is None else seen
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda make=make: Connection(make, seen, count), "127.0.0.1", port))[1]  # type: ignore[misc]
        for make in makes
    ]
    try:
        if seconds:
            await asyncio.sleep(seconds)
        else:
            await asyncio.gather(*(each.closed for each in connections))
    finally:
        for each in connections:
            each.asking = False
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(15):
                await asyncio.gather(*(each.closed for each in connections))
    return seen
