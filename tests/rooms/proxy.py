"""A TCP proxy in front of PostgreSQL, for failures at a chosen moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Passes bytes on until told otherwise. `url` leads through it."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._on_commit: Callable[[], bool] | None = None

    @property
    def url(self) -> str:
        user, _, _ = self._target.netloc.rpartition("@")
        return urlunsplit(self._target._replace(netloc=f"{user}@127.0.0.1:{self._port}"))

    async def restore(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(self._line, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Cut every connection, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for line in list(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def lose_next_commit(self, *, arrives: bool, then: Callable[[], None] = lambda: None) -> None:
        """Cut the connection that says COMMIT next: before it arrives, or before its answer does."""

        def on_commit() -> bool:
            self._on_commit = None
            then()
            return arrives

        self._on_commit = on_commit

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            onwards, out = await asyncio.open_connection(self._target.hostname, self._target.port)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
            return
        finally:
            task.add_done_callback(self._lines.discard)
        silent = asyncio.Event()  # the answer to a COMMIT is lost with the connection
        there = asyncio.create_task(self._there(reader, out, silent))
        back = asyncio.create_task(self._back(onwards, writer, silent))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # cut
        finally:
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            writer.transport.abort()
            out.transport.abort()

    async def _there(
        self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if b"COMMIT" in data and self._on_commit is not None:
                if not self._on_commit():
                    return
                silent.set()
            out.write(data)

    async def _back(
        self, onwards: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        while (data := await onwards.read(65536)) and not silent.is_set():
            writer.write(data)


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the database at `url`."""
    proxy = Proxy(url)
    await proxy.restore()
    try:
        yield proxy
    finally:
        await proxy.cut()
