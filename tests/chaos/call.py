"""A voice as the page has one (web/voice.js, web/path.js): how it begins, and what it does when none comes.

What it sends is real (ICE, DTLS, SRTP), and says whose it is: so whoever hears it knows for how long it was
not heard.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from bench.forward.client import Client as Voice
from bench.forward.client import payload_of

SLOTS: Final = 9
FRAME_SECONDS: Final = 0.02
CHECK_SECONDS: Final = 2.5
CHECKS_OF_A_RESTART: Final = 0.1

# The page's own, in seconds.
STALLED: Final = 1.25
ANSWER: Final = 10.0
RESTART: Final = 4.0
FIRST_WAIT: Final = 0.3
LONGEST_WAIT: Final = 10.0
ATTACH_AGAIN: Final = 1.0

ATTACH: Final = "voice-attach"
_WHO: Final = struct.Struct(">I")
_REST: Final = bytes(76)


class Place(Protocol):
    """Where somebody is."""

    address: str

    def inside(self) -> AbstractContextManager[None]: ...


class Gaps:
    """For how long each of the others was not heard, at most."""

    def __init__(self) -> None:
        self.last: dict[int, float] = {}
        self.longest: dict[int, float] = {}

    def heard(self, user_id: int, now: float) -> None:
        before = self.last.get(user_id, now)
        self.longest[user_id] = max(self.longest.get(user_id, 0.0), now - before)
        self.last[user_id] = now

    def afresh(self, now: float) -> None:
        """What was before does not count."""
        self.longest = dict.fromkeys(self.last, 0.0)
        self.last = dict.fromkeys(self.last, now)

    @property
    def most(self) -> float:
        return max(self.longest.values(), default=0.0)


class Call:
    """`send(type, payload, id)` is False where there is no connection now."""

    def __init__(
        self, user_id: int, place: Place, send: Callable[[str, dict[str, Any], str], bool], rng: random.Random
    ) -> None:
        self.gaps = Gaps()
        self.begun = 0  # connections that were made anew
        self.restarts = 0
        self._said = _WHO.pack(user_id) + _REST
        self._place = place
        self._send = send
        self._rng = rng
        self._voice: Voice | None = None
        self._voice_id = ""
        self._connecting: asyncio.Task[None] | None = None
        self._up = False
        self._offers = 0
        self._attempts = 0
        self._restarting = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._heard_at = 0.0
        self._told = 0.0  # what had been heard when the path was last given up
        self._check_at = 0.0
        self._restarted_at = 0.0

    # --- what the page is told ---------------------------------------------------------------------------

    def reconnected(self) -> None:
        """The websocket is back: adopt the voice that still runs, or start over."""
        if not self._voice_id:
            self.negotiate()
        elif self._up and not self._restarting:
            self._send("voice_attach", {"voice_id": self._voice_id}, ATTACH)
        else:
            self._restart()

    def answered(self, payload: dict[str, Any], ref_id: str) -> None:
        if self._voice is None or ref_id != self._offer_id:
            return
        self._cancel()
        if self._restarting:
            if payload["voice_id"] != self._voice_id:
                self.negotiate()
                return
            self._restarting = False
            self._voice.take(payload["sdp"])
            self._restarted_at = self._loop.time()
            self._check_at = 0.0
            self._later(RESTART, self._give_up)
        else:
            self._voice_id = payload["voice_id"]
            self._connecting = asyncio.create_task(self._connect(self._voice, payload["sdp"]))

    def lost(self, payload: dict[str, Any]) -> None:
        if payload["voice_id"] == self._voice_id:
            self._again()

    def refused(self, ref_id: str, payload: dict[str, Any]) -> bool:
        """Whether the error was about something of ours."""
        if ref_id == ATTACH:
            if payload["retryable"]:
                self._later(ATTACH_AGAIN, self.reconnected)
            else:
                self._again()
            return True
        if ref_id != self._offer_id:
            return ref_id.startswith("offer-")
        assert payload["retryable"] or self._restarting, payload
        self._again()
        return True

    # --- what it does ------------------------------------------------------------------------------------

    @property
    def _offer_id(self) -> str:
        return f"offer-{self._offers}"

    def negotiate(self) -> None:
        """A connection of its own, anew."""
        self.close()
        with self._place.inside():
            self._voice = Voice(SLOTS, self._place.address)
        self.begun += 1
        self._offer(self._voice.offer())

    def _restart(self) -> None:
        """The same connection by another path."""
        assert self._voice is not None
        self._cancel()
        self._restarting = True
        self.restarts += 1
        self._offer(self._voice.restart())

    def _offer(self, sdp: str) -> None:
        self._offers += 1
        if self._send("offer", {"sdp": sdp}, self._offer_id):
            self._later(ANSWER, self._again)

    async def _connect(self, voice: Voice, answer: str) -> None:
        try:
            await voice.connect(answer)
        except (TimeoutError, OSError):
            self._again()
            return
        self._attempts, self._up = 0, True
        self._heard_at = self._told = 0.0

    def _give_up(self) -> None:
        """There was no path by then, unless something came by it."""
        if self._heard_at < self._restarted_at:
            self._again()

    def _again(self) -> None:
        """The voice is gone: offer anew, after a while that grows."""
        self.close()
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2**self._attempts)
        self._attempts += 1
        self._later(wait * self._rng.uniform(0.5, 1.0), self.negotiate)

    def close(self) -> None:
        self._cancel()
        if self._connecting is not None:
            self._connecting.cancel()
        if self._voice is not None:
            self._voice.socket.close()
        self._voice, self._connecting = None, None
        self._voice_id, self._up, self._restarting = "", False, False

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        self._cancel()
        self._timer = self._loop.call_later(seconds, then)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    # --- voice -------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Every 20 ms: say something, hear what came, look whether anything comes."""
        if self._voice is None or not self._up:
            return
        now = self._loop.time()
        every = CHECKS_OF_A_RESTART if self._heard_at < self._restarted_at else CHECK_SECONDS
        if now >= self._check_at:
            self._voice.check()
            self._check_at = now + every
        self._voice.send(self._said)
        self._voice.receive(self._hear)
        stalled = self._heard_at and self._heard_at != self._told and now - self._heard_at > STALLED
        if stalled and not self._restarting:
            self._told = self._heard_at
            self._restart()

    def _hear(self, packet: bytes) -> None:
        now = self._loop.time()
        self._heard_at = now
        (user_id,) = _WHO.unpack_from(payload_of(packet))
        self.gaps.heard(user_id, now)
