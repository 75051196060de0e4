"""Rate limits of one connection: token buckets, with the time passed in."""

from __future__ import annotations

from dataclasses import dataclass

from rooms.frames.incoming import (
    Chat,
    ChatDelete,
    ChatEdit,
    ChatReaction,
    ClientMessage,
    Hand,
    Ice,
    Moderate,
    Mute,
    Offer,
    Resume,
    VoiceAttach,
)

CHAT_PER_SECOND, CHAT_BURST = 5, 10
SIGNALLING_PER_SECOND = 50
RESUMES_PER_SECOND, RESUME_BURST = 1, 3  # each may read 2,000 events
FRAMES_PER_SECOND = 100

PATIENCE_SECONDS = 10.0  # who is still over a limit after this is closed
CALM_SECONDS = 2.0  # who was not over any for this long begins anew

ACTS = (Chat, ChatDelete, ChatEdit, ChatReaction)
SIGNALLING = (Hand, Ice, Moderate, Mute, Offer, VoiceAttach)


@dataclass(slots=True)
class Bucket:
    """`burst` at once, `rate` a second after that."""

    rate: float
    burst: float
    tokens: float
    at: float

    def wait(self, now: float) -> float:
        """0 and one token less, or the seconds until there is one."""
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.rate
        self.tokens -= 1
        return 0.0


class Limits:
    """What one connection may send."""

    __slots__ = ("_chat", "_frames", "_last_over", "_over_since", "_resumes", "_signalling")

    def __init__(self, now: float) -> None:
        self._frames = Bucket(FRAMES_PER_SECOND, FRAMES_PER_SECOND, FRAMES_PER_SECOND, now)
        self._chat = Bucket(CHAT_PER_SECOND, CHAT_BURST, CHAT_BURST, now)
        self._signalling = Bucket(SIGNALLING_PER_SECOND, SIGNALLING_PER_SECOND, SIGNALLING_PER_SECOND, now)
        self._resumes = Bucket(RESUMES_PER_SECOND, RESUME_BURST, RESUME_BURST, now)
        self._over_since = self._last_over = now - CALM_SECONDS

    def frame(self, now: float) -> float:
        """For each frame, of whatever kind or none: seconds to wait, 0 when it may pass."""
        return self._noted(self._frames.wait(now), now)

    def message(self, message: ClientMessage, now: float) -> float:
        """For a decoded message: seconds to wait, 0 when it may pass."""
        if isinstance(message, ACTS):
            return self._noted(self._chat.wait(now), now)
        if isinstance(message, SIGNALLING):
            return self._noted(self._signalling.wait(now), now)
        if isinstance(message, Resume):
            return self._noted(self._resumes.wait(now), now)
        return 0.0

    def exhausted(self, now: float) -> bool:
        """Whether the connection has been over a limit for so long that it is to be closed."""
        return self._last_over == now and now - self._over_since >= PATIENCE_SECONDS

    def _noted(self, wait: float, now: float) -> float:
        if wait:
            if now - self._last_over >= CALM_SECONDS:
                self._over_since = now
            self._last_over = now
        return wait
