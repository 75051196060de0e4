"""A websocket client that may do everything wrong: it writes bytes, and reads frames."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import select
import socket
from collections.abc import Sequence
from typing import Any

from tests.rooms import kit

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = None,
    size: int | None = None,
) -> bytes:
    """A client's frame. `size`: what the header says, where that is not the truth; `mask` b"" is none."""
    mask = os.urandom(4) if mask is None else mask
    length, bit = len(payload) if size is None else size, 0x80 if mask else 0
    head = bytes((fin << 7 | rsv << 4 | opcode,))
    if length < 126:
        head += bytes((bit | length,))
    elif length < 1 << 16:
        head += bytes((bit | 126,)) + length.to_bytes(2)
    else:
        head += bytes((bit | 127,)) + length.to_bytes(8)
    if mask:
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return head + mask + payload


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2) + reason)


def fragments(payload: bytes, size: int, opcode: int = TEXT) -> list[bytes]:
    """One message in frames of `size` bytes."""
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    return [
        frame(CONTINUATION if number else opcode, piece, fin=number == len(pieces) - 1)
        for number, piece in enumerate(pieces)
    ]


def octets(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


class Raw:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, rooms: kit.Rooms, room_id: str, user_id: int = 1, *, receive_buffer: int = 0) -> Raw:
        """A member's websocket, with hello and state read. `receive_buffer`: bytes, of the kernel."""
        kernel = socket.socket()
        kernel.setblocking(False)
        if receive_buffer:
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(kernel, ("127.0.0.1", rooms.ports.websocket))
        reader, writer = await asyncio.open_connection(sock=kernel)
        raw = cls(reader, writer)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /ws/rooms/{room_id}?access_token={kit.token(user_id)} HTTP/1.1\r\nHost: here\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), kit.PATIENCE)
        assert head.startswith(b"HTTP/1.1 101 "), head
        while (await raw.next())[1].get("type") != "state":
            pass
        return raw

    async def write(self, pieces: Sequence[bytes]) -> None:
        """Each piece by itself, as far as a stream knows pieces."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def next(self) -> tuple[int, Any]:
        """The next frame: a text's JSON, a close's code (None without one), else the payload."""
        first, second = await asyncio.wait_for(self.reader.readexactly(2), kit.PATIENCE)
        assert first & 0xF0 == 0x80, "the server sends whole messages, without extensions"
        assert second < 128, "the server masks nothing"
        size = second
        if second > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if second == 126 else 8))
        payload = await asyncio.wait_for(self.reader.readexactly(size), kit.PATIENCE)
        opcode = first & 0x0F
        if opcode == TEXT:
            return TEXT, json.loads(payload)
        if opcode == CLOSE:
            return CLOSE, int.from_bytes(payload[:2]) if payload else None
        return opcode, payload

    async def rest(self) -> list[tuple[int, Any]]:
        """Everything until the server hangs up; of texts the pongs and the errors."""
        seen: list[tuple[int, Any]] = []
        while True:
            try:
                opcode, value = await self.next()
            except asyncio.IncompleteReadError:
                return seen
            if opcode != TEXT:
                seen.append((opcode, value))
            elif value["type"] == "pong":
                seen.append((TEXT, value.get("id")))
            elif value["type"] == "error":
                seen.append((TEXT, value["payload"]["code"]))

    def freeze(self) -> None:
        """Read nothing more, and answer nothing."""
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads as well

    def wait_until_cut_off(self) -> None:
        """Until the server has cut the line, which a frozen reader does not see; blocks."""
        poll = select.poll()
        poll.register(self.writer.get_extra_info("socket"), select.POLLHUP | select.POLLERR)
        assert poll.poll(kit.PATIENCE * 1000)

    async def hang_up(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
