"""One websocket: its outbox, its signs of life, and how it ends. What is said on it is its listener's.

At most 512 frames or 1 MiB wait for a client, here and in the transport. Then the
connection is closed with 4101 (SLOW_READER): durable frames are never dropped
silently, since a client that comes back resumes after the last one it saw.

There is no task: the transport, the watch and the flusher call.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from rooms.frames.incoming import MAX_FRAME_BYTES
from rooms.websocket import wire
from rooms.websocket.flusher import Flusher
from rooms.websocket.watch import Watch

MAX_FRAMES = 512
MAX_BYTES = 1 << 20
KERNEL_BYTES = 128 * 1024  # and this in the kernel, which would take megabytes of its own accord
FRAMES_AT_ONCE = 64  # handed to the transport in one piece
LARGE_BYTES = 4096  # a frame that gains nothing from waiting for others
CROWD = 200  # to so many at once even a lone frame waits for others: their writes take longer than it does
EVENTS_AT_ONCE = 128  # taken from one client before the others have their turn

PING_SECONDS = 15.0
SILENCE_SECONDS = 35.0
AUTH_SECONDS = 5.0  # for the first frame, where the URL has no credential
CLOSE_SECONDS = 2.0  # for a close frame to go out and be answered

SLOW_READER = (4101, "SLOW_READER")
NO_PONG = (4202, "NO_PONG")
TOKEN_EXPIRED = (4201, "TOKEN_EXPIRED")
LOST = (1006, "LOST")

PING = wire.frame(wire.Opcode.PING)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds; tests make them short."""

    ping: float = PING_SECONDS
    silence: float = SILENCE_SECONDS
    close: float = CLOSE_SECONDS
    auth: float = AUTH_SECONDS


class Listener(Protocol):
    """Who hears a connection."""

    def heard(self, event: wire.Event, now: float) -> None:
        """A message or a control frame, but not the close. It must not raise."""

    def lost(self) -> None:
        """The connection has ended, with `closed_with`. Called once, and nothing is heard after it."""


@dataclass(frozen=True, slots=True)
class Clockwork:
    """What all connections share."""

    watch: Watch
    flusher: Flusher
    timing: Timing


class Connection(asyncio.Protocol):
    """See the module. It is read only from `listen` on, and not while it is held."""

    __slots__ = (
        "_abort_at",
        "_answered",
        "_awaited",
        "_broken",
        "_bytes",
        "_clockwork",
        "_drained",
        "_ending",
        "_ends",
        "_expires_at",
        "_handing",
        "_held",
        "_leaving",
        "_listener",
        "_loop",
        "_outbox",
        "_parser",
        "_ping_at",
        "_stuck",
        "_transport",
        "_wake_at",
        "closed_with",
        "conn_id",
        "flushed_at",
        "gone",
        "heard_at",
        "saving",
    )

    def __init__(self, transport: asyncio.Transport, clockwork: Clockwork) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._clockwork = clockwork
        self._listener: Listener | None = None
        self._ends: tuple[Callable[[], None], ...] = ()
        self._parser = wire.Parser(MAX_FRAME_BYTES)
        self._outbox: list[bytes] = []
        self._bytes = 0  # in the outbox, counted while the client is slow
        self._stuck = 0  # frames that the transport holds, since the kernel takes no more of them
        self._handing = 1  # frames that the transport was given last
        self._drained: asyncio.Event | None = None
        self._held = True
        self._broken = False  # the client's bytes make no sense any more
        self._answered = False  # the client's close frame is here
        self._awaited = False  # something is to happen when all is written
        self._ending = False  # nothing more is written
        self.closed_with: tuple[int, str] | None = None
        self.gone = False
        self.conn_id = uuid4().hex
        self.heard_at = self._loop.time()
        self.flushed_at = -math.inf
        self._ping_at = self.heard_at + clockwork.timing.ping
        self.saving = 0  # messages of this client
        self._leaving: tuple[int, str] | None = None
        self._expires_at = self._abort_at = self._wake_at = math.inf
        transport.set_write_buffer_limits(high=0)  # so that we hear at once when something stays behind
        if transport.get_write_buffer_size():
            self._stuck = 1
        transport.pause_reading()
        self._set_option(socket.SO_SNDBUF, KERNEL_BYTES)
        self._wake_by(min(self._ping_at, self.heard_at + clockwork.timing.silence))

    @property
    def closing(self) -> bool:
        """Nothing more is sent but what was before."""
        return self.closed_with is not None

    @property
    def held_frames(self) -> int:
        """What waits for the client outside the kernel."""
        return len(self._outbox) + self._stuck

    @property
    def held_bytes(self) -> int:
        return sum(map(len, self._outbox)) + self._transport.get_write_buffer_size()

    # --- writing ----------------------------------------------------------------------------------------

    def send(self, frame: bytes) -> None:
        """Queue a frame, header and all. What does not fit any more closes the connection instead."""
        if self.closed_with is not None:
            return
        outbox = self._outbox
        if self._stuck:
            self._bytes += len(frame)
            too_much = self._bytes + self._transport.get_write_buffer_size() > MAX_BYTES
            if too_much or len(outbox) + self._stuck >= MAX_FRAMES:
                outbox.clear()
                self.close(*SLOW_READER)
                return
        elif not outbox:
            self._clockwork.flusher.due(self)
        outbox.append(frame)
        if not self._stuck and (len(outbox) >= FRAMES_AT_ONCE or len(frame) > LARGE_BYTES):
            self.flush()

    def flush(self) -> None:
        """Write what is queued, as far as the client takes it."""
        outbox = self._outbox
        while outbox and not self._stuck and not self._ending:
            if len(outbox) == 1:
                self._handing = 1
                data = outbox.pop()
            else:
                self._handing = min(len(outbox), FRAMES_AT_ONCE)
                data = b"".join(outbox[:FRAMES_AT_ONCE])
                del outbox[:FRAMES_AT_ONCE]
            self._transport.write(data)  # calls pause_writing where something stays behind
        if self._awaited and not outbox and not self._stuck:
            self._flushed()

    def _flushed(self) -> None:
        if self._drained is not None:
            self._drained.set()
        if self._answered:
            self._hang_up()
        elif self._broken:
            self._say_no_more()

    def pause_writing(self) -> None:
        self._stuck = self._handing
        self._bytes = sum(map(len, self._outbox))

    def resume_writing(self) -> None:
        self._stuck = 0
        self.flush()

    async def drained(self) -> None:
        """Wait until the kernel has everything that was queued, or the connection closes."""
        if self.closed_with is None and self.held_frames:
            self._awaited = True
            self._drained = self._drained or asyncio.Event()
            self._drained.clear()
            await self._drained.wait()

    # --- reading ----------------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        """Read for `listener` from here on. Where the connection is gone already, it hears that at once."""
        if self.gone:
            listener.lost()
            return
        self._listener = listener
        self.resume()

    def at_the_end(self, do: Callable[[], None]) -> None:
        """Call this once, when the connection is gone, however it goes."""
        if self.gone:
            do()
        else:
            self._ends += (do,)

    def hold(self) -> None:
        """Read nothing until `resume`: what is here waits, what comes stays with the client."""
        self._held = True
        if not self.gone:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on; but not for somebody who is let go."""
        if self.gone or self._leaving is not None:
            return
        self._held = False
        self._transport.resume_reading()
        self._take()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        if not self._broken and not self._answered:
            self._parser.feed(data)
            self._take()

    def eof_received(self) -> None:
        """Gone without a close frame. Returning nothing closes the transport, once it holds nothing."""
        if self.held_frames:
            self.abort()

    def _take(self) -> None:
        """Pass on what is whole."""
        left = EVENTS_AT_ONCE
        try:
            while not self._held and not self._broken and (event := self._parser.next()) is not None:
                if isinstance(event, wire.Close):
                    self._on_close(event)
                    return
                if self.closed_with is None and self._listener is not None:
                    self._listener.heard(event, self.heard_at)
                left -= 1
                if not left and not self._held:
                    self.hold()
                    self._loop.call_soon(self.resume)
        except wire.Broken as broken:
            self._fail(broken)

    # --- ending -----------------------------------------------------------------------------------------

    def close(self, code: int, reason: str) -> None:
        """Close after what is queued. The first code counts."""
        if self.closed_with is not None:
            return
        self.closed_with = code, reason
        self._leaving = None
        if self._drained is not None:
            self._drained.set()
        self._abort_at = self._loop.time() + self._clockwork.timing.close
        self._wake_by(self._abort_at)
        self._outbox.append(wire.close(code, reason))
        self.flush()
        self.resume()  # for the answer

    def leave(self, code: int, reason: str) -> None:
        """Close as soon as nothing that the client sent is being saved; nothing more is read."""
        if self.closed_with is not None:
            return
        self.hold()
        self._leaving = code, reason
        if not self.saving:
            self.close(code, reason)

    def saved(self) -> None:
        """One of its messages is saved, or is known not to be, and the client was told."""
        self.saving -= 1
        if self._leaving is not None and not self.saving:
            self.close(*self._leaving)

    def abort(self) -> None:
        """Cut the line; what the kernel still holds for it is dropped too."""
        if not self.gone:
            self._set_option(socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = self._ending = True
        self.closed_with = self.closed_with or LOST
        self._outbox.clear()
        self._stuck = 0
        if self._drained is not None:
            self._drained.set()
        if self._listener is not None:
            self._listener.lost()
            self._listener = None
        for do in self._ends:
            do()
        self._ends = ()

    def _on_close(self, event: wire.Close) -> None:
        """The client's close frame: the answer to ours, or one that gets its code back."""
        self._answered = self._awaited = True
        self.close(event.code, event.reason)
        self.flush()

    def _fail(self, broken: wire.Broken) -> None:
        self._broken = self._awaited = True
        self.close(broken.code, broken.reason)
        self.flush()

    def _hang_up(self) -> None:
        if not self._ending:
            self._ending = True
            self._transport.close()

    def _say_no_more(self) -> None:
        """Let the client hang up: while it still sends, our doing so could cost it our last word."""
        if self._ending:
            return
        if self._transport.can_write_eof():
            self._ending = True
            self._transport.write_eof()
        else:
            self._hang_up()

    # --- the clock --------------------------------------------------------------------------------------

    def expires(self, at: float) -> None:
        """Close it then, in the event loop's time. A later call replaces an earlier one."""
        self._expires_at = at
        self._wake_by(at)

    def due(self, now: float) -> None:
        """What the clock asks for."""
        if self.gone or now < self._wake_at:
            return  # an earlier time took the place of this one
        self._wake_at = math.inf
        silent_at = self.heard_at + self._clockwork.timing.silence
        if self.closed_with is not None:
            if now >= self._abort_at:
                self.abort()
            else:
                self._wake_by(self._abort_at)
        elif now >= self._expires_at:
            self.close(*TOKEN_EXPIRED)
        elif now >= silent_at:
            self.close(*NO_PONG)
        else:
            if now >= self._ping_at:
                self._ping_at = now + self._clockwork.timing.ping
                self.send(PING)
            self._wake_by(min(self._ping_at, silent_at, self._expires_at))

    def _wake_by(self, when: float) -> None:
        if when < self._wake_at:
            self._wake_at = when
            self._clockwork.watch.at(when, self)

    def _set_option(self, option: int, value: int | bytes) -> None:
        kernel = self._transport.get_extra_info("socket")
        if kernel is not None:
            with contextlib.suppress(OSError):  # closed already
                kernel.setsockopt(socket.SOL_SOCKET, option, value)


def broadcast(connections: list[Connection], frame: bytes) -> None:
    """`send` to each. Of what a delivery costs outside the kernel a call for each would be the half."""
    if not connections:
        return
    flusher = connections[0]._clockwork.flusher
    quiet_since = flusher.quiet_since() if len(connections) < CROWD else -math.inf
    soon: list[Connection] = []
    later: list[Connection] = []
    for connection in connections:
        outbox = connection._outbox
        if outbox or connection._stuck or connection.closed_with is not None:
            connection.send(frame)
        else:
            outbox.append(frame)
            (soon if connection.flushed_at < quiet_since else later).append(connection)
    flusher.add(soon, later)
