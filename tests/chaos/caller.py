"""Somebody who writes and talks: the chat's client, with a voice."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.call import Call
from tests.chaos.client import Budget, Client

EVERY_SECONDS = 0.3  # fewer than a person may say


@dataclass
class Pace(Budget):
    """While it is `endless` everybody says something now and then; nothing is owed."""

    def of_one(self) -> Budget:
        return _Turn(pace=self)


@dataclass
class _Turn(Budget):
    """One person's."""

    pace: Pace = field(default_factory=Pace)
    _next: float = 0.0

    def take(self) -> bool:
        now = time.monotonic()
        if not self.pace.endless or now < self._next:
            return False
        self._next = now + EVERY_SECONDS
        return True


@dataclass
class Caller(Client):
    """`call` is set when it begins."""

    call: Call = field(init=False)

    def _on_hello(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        super()._on_hello(frame, payload)
        if self.connected:
            self.call.reconnected()

    def _on_resumed(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        super()._on_resumed(frame, payload)
        self.call.reconnected()

    def _on_answer(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        self.call.answered(payload, frame["id"])

    def _on_voice_lost(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        self.counts[f"voice lost: {payload['reason']}"] += 1
        self.call.lost(payload)

    def _on_error(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        if self.call.refused(payload["ref_id"] or "", payload):
            self.counts[payload["code"]] += 1
        else:
            super()._on_error(frame, payload)

    def say_now(self, kind: str, payload: dict[str, Any], ref_id: str) -> bool:
        """A frame that is said once. False: there is no connection now."""
        if not self.connected:
            return False
        self.asides.append({"type": kind, "payload": payload, "id": ref_id})
        self.wake()
        return True

    def waits_for(self, now: float) -> float:
        """How long what was said first of what is not acked yet has waited."""
        return now - min((send.said_at for send in self._unacked.values() if send.tries), default=now)
