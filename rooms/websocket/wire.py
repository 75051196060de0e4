"""The websocket's own bytes (RFC 6455), as a server reads and writes them. No socket, no clock.

    parser = Parser(65536)
    parser.feed(data)
    while (event := parser.next()) is not None: …

Text only, and no extensions. What breaks the standard is noticed as early as the
bytes allow: an oversized message at its header, bad UTF-8 at its first bad byte.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias


class Opcode(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


@dataclass(frozen=True, slots=True)
class Ping:
    data: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """`code` is 1005 where the frame had none."""

    code: int
    reason: str


Event: TypeAlias = str | Ping | Pong | Close  # str: a whole text message


class Broken(Exception):
    """The client breaks the protocol: `code` and `reason` to close with. Nothing can be read after it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


PROTOCOL_ERROR = 1002
TEXT_ONLY = (1003, "TEXT_ONLY")
NOT_UTF_8 = (1007, "NOT_UTF_8")
TOO_LARGE = (1009, "TOO_LARGE")
TOO_MANY_FRAGMENTS = (1009, "TOO_MANY_FRAGMENTS")
NO_CODE = 1005
LONGEST_CONTROL = 125
MOST_FRAGMENTS = 64  # of one message: each costs us as much work as a message, be it empty
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_decoder = codecs.getincrementaldecoder("utf-8")


def frame(opcode: Opcode, payload: bytes = b"") -> bytes:
    """A whole message in one frame, as a server sends it: not masked."""
    size = len(payload)
    if size <= LONGEST_CONTROL:
        return bytes((0x80 | opcode, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


def text(payload: bytes) -> bytes:
    """A text frame; `payload` is UTF-8."""
    return frame(Opcode.TEXT, payload)


def close(code: int, reason: str) -> bytes:
    """A close frame. A code that must not be sent gives one without a code."""
    if not _may_be_sent(code):
        return frame(Opcode.CLOSE)
    cut = reason.encode()[: LONGEST_CONTROL - 2].decode(errors="ignore")
    return frame(Opcode.CLOSE, code.to_bytes(2) + cut.encode())


def accept(headers: Mapping[str, str]) -> bytes | None:
    """The answer to a request to upgrade, or None where it is none."""
    key = headers.get("Sec-WebSocket-Key", "").strip()
    connection = [token.strip() for token in headers.get("Connection", "").lower().split(",")]
    if (
        headers.get("Upgrade", "").strip().lower() != "websocket"
        or "upgrade" not in connection
        or headers.get("Sec-WebSocket-Version", "").strip() != "13"
        or not _is_key(key)
    ):
        return None
    proof = base64.b64encode(hashlib.sha1(key.encode() + MAGIC, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
    )


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        return False


@dataclass(slots=True)
class _Message:
    """A text message of which a part is here: `pieces` are decoded already."""

    decoder: codecs.IncrementalDecoder
    pieces: list[str]
    size: int = 0  # that its frames have announced
    frames: int = 0


@dataclass(slots=True)
class _Frame:
    """A frame of it whose payload is still on its way."""

    message: _Message
    final: bool
    mask: bytes
    left: int


class Parser:
    """What a client sends, as events. `longest`: bytes of a message."""

    __slots__ = ("_at", "_buffer", "_frame", "_longest", "_message")

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = b""
        self._at = 0  # before it, the buffer is read
        self._frame: _Frame | None = None
        self._message: _Message | None = None

    def feed(self, data: bytes) -> None:
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0

    def next(self) -> Event | None:
        """The next event, or None until more is fed. Raises Broken."""
        while True:
            if self._frame is not None:
                if (message := self._go_on(self._frame)) is not None:
                    return message
                if self._frame is not None:
                    break
            header = self._header()
            if header is None:
                break
            opcode, final, at, size = header
            end = at + size
            is_control = opcode >= Opcode.CLOSE
            if is_control and len(self._buffer) < end:
                break
            mask = self._buffer[at - 4 : at]
            if is_control or (final and self._message is None and len(self._buffer) >= end):
                payload = _unmask(self._buffer[at:end], mask)
                self._at = end
                return _control(opcode, payload) if is_control else _utf_8(payload)
            self._at = at
            self._begin(final, mask, size)
        if self._at == len(self._buffer):
            self._buffer, self._at = b"", 0  # an idle connection keeps nothing
        return None

    def _header(self) -> tuple[int, bool, int, int] | None:
        """Opcode, whether final, where the payload begins, its size; None where a part is missing."""
        buffer, at = self._buffer, self._at
        here = len(buffer) - at
        if not here:
            return None
        first = buffer[at]
        opcode, final = first & 0x0F, bool(first & 0x80)
        if first & 0x70:
            raise Broken(PROTOCOL_ERROR, "RESERVED_BITS")
        if opcode == Opcode.BINARY:
            raise Broken(*TEXT_ONLY)
        if opcode not in (Opcode.CONTINUATION, Opcode.TEXT, Opcode.CLOSE, Opcode.PING, Opcode.PONG):
            raise Broken(PROTOCOL_ERROR, "RESERVED_OPCODE")
        if opcode >= Opcode.CLOSE and not final:
            raise Broken(PROTOCOL_ERROR, "FRAGMENTED_CONTROL")
        if opcode <= Opcode.TEXT and (opcode == Opcode.CONTINUATION) != (self._message is not None):
            raise Broken(PROTOCOL_ERROR, "NOT_A_CONTINUATION" if opcode else "NOTHING_TO_CONTINUE")
        if here < 2:
            return None
        size = buffer[at + 1] & 0x7F
        if not buffer[at + 1] & 0x80:
            raise Broken(PROTOCOL_ERROR, "NOT_MASKED")
        if opcode >= Opcode.CLOSE and size > LONGEST_CONTROL:
            raise Broken(PROTOCOL_ERROR, "LONG_CONTROL")
        head = 2
        if size > LONGEST_CONTROL:
            head, least = (4, 126) if size == 126 else (10, 1 << 16)
            if here < head:
                return None
            size = int.from_bytes(buffer[at + 2 : at + head])
            if size < least:
                raise Broken(PROTOCOL_ERROR, "PADDED_LENGTH")
        if opcode <= Opcode.TEXT and size + (self._message.size if self._message else 0) > self._longest:
            raise Broken(*TOO_LARGE)
        head += 4
        return (opcode, final, at + head, size) if here >= head else None

    def _begin(self, final: bool, mask: bytes, size: int) -> None:
        message = self._message = self._message or _Message(_decoder(), [])
        message.size += size
        message.frames += 1
        if message.frames > MOST_FRAGMENTS:
            raise Broken(*TOO_MANY_FRAGMENTS)
        self._frame = _Frame(message, final, mask, size)

    def _go_on(self, frame: _Frame) -> str | None:
        """Take what is here of a frame's payload; the message, where that is its end."""
        message = frame.message
        here = self._buffer[self._at : self._at + frame.left]
        self._at += len(here)
        frame.left -= len(here)
        ends = frame.final and not frame.left
        try:
            message.pieces.append(message.decoder.decode(_unmask(here, frame.mask), ends))
        except UnicodeDecodeError:
            raise Broken(*NOT_UTF_8) from None
        turn = len(here) % 4
        frame.mask = frame.mask[turn:] + frame.mask[:turn]
        if not frame.left:
            self._frame = None
        if not ends:
            return None
        self._message = None
        return "".join(message.pieces)


def _unmask(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(size)


def _utf_8(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Broken(*NOT_UTF_8) from None


def _control(opcode: int, payload: bytes) -> Event:
    if opcode == Opcode.PING:
        return Ping(payload)
    if opcode == Opcode.PONG:
        return Pong(payload)
    if not payload:
        return Close(NO_CODE, "")
    code = int.from_bytes(payload[:2])
    if len(payload) < 2 or not _may_be_sent(code):
        raise Broken(PROTOCOL_ERROR, "BAD_CLOSE_CODE")
    return Close(code, _utf_8(payload[2:]))


def _may_be_sent(code: int) -> bool:
    """RFC 6455 section 7.4, and what IANA has registered since: 1012 to 1014."""
    return 3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))
