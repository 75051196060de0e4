"""What an attached client sends, on its way to the hub: within the limits, and each fault with its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from common import log
from common.errors import CLOSE_CODE, CwrkError, Forbidden, Internal, TooMany
from common.tokens import Identity, Verifier
from rooms.core.limits import Limits
from rooms.frames.codec import BadFrame, decode
from rooms.frames.incoming import Auth
from rooms.frames.outgoing import AuthOk, ServerMessage, error
from rooms.hub import Hub
from rooms.websocket import wire
from rooms.websocket.connection import Connection
from rooms.websocket.open_sessions import OpenSessions

RATE = (4102, "RATE_LIMITED")

logger = log.get("rooms.reader")


@dataclass(slots=True)
class Reader:
    """The listener of one connection. `gone`: what is to be done when it has ended."""

    hub: Hub
    verifier: Verifier
    sessions: OpenSessions
    room_id: str
    user_id: int
    connection: Connection
    limits: Limits
    gone: Callable[[Reader], None]
    _renewing: asyncio.Task[None] | None = field(default=None, init=False)

    def heard(self, event: wire.Event, now: float) -> None:
        try:
            self._heard(event, now)
        except Exception as fault:
            self._fail(fault)

    def lost(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        self.gone(self)

    def _heard(self, event: wire.Event, now: float) -> None:
        wait = self.limits.frame(now)
        if isinstance(event, str):
            self._text(event, now, wait)
        elif wait:
            if self.limits.exhausted(now):
                self.connection.close(*RATE)
        elif isinstance(event, wire.Ping):
            self.connection.send(wire.frame(wire.Opcode.PONG, event.data))

    def _text(self, text: str, now: float, wait: float) -> None:
        if wait:
            return self._over(wait, now)
        try:
            frame = decode(text)
        except BadFrame as bad:
            return self._refuse(bad.error, bad.ref_id, bad.about)
        if wait := self.limits.message(frame.message, now):
            return self._over(wait, now, frame.ref_id, frame.about)
        if isinstance(frame.message, Auth):
            self.connection.hold()  # what comes behind it waits for the outcome
            self._renewing = asyncio.create_task(self._renew(frame.message, frame.ref_id))
        else:
            self.hub.receive(self.room_id, self.connection.conn_id, frame)
        return None

    async def _renew(self, auth: Auth, ref_id: str | None) -> None:
        """A newer token of the same person, before the old one ends."""
        try:
            identity = await self.verifier.verify(auth.access_token)
            if identity.user_id != self.user_id:
                other = Forbidden("That is somebody else's token.", code="USER_ID_MISMATCH")
                self._refuse(other, ref_id)
            elif not self.connection.closing:
                speaks_until(self.connection, identity)
                self._say(AuthOk(int(identity.expires_at)), ref_id)
                self.sessions.speaks_for(self.room_id, self.connection.conn_id, identity)
                self.hub.renewed(self.room_id, identity)
        except CwrkError as problem:
            self._refuse(problem, ref_id)
        except Exception as fault:
            self._fail(fault)
        finally:
            self._renewing = None
            self.connection.resume()

    def _over(self, wait: float, now: float, ref_id: str | None = None, about: str | None = None) -> None:
        if self.limits.exhausted(now):
            self.connection.close(*RATE)
            return
        over = TooMany("Too much at once. Wait a moment.", retry_after=wait)
        self._refuse(over, ref_id, about)

    def _refuse(self, problem: CwrkError, ref_id: str | None, about: str | None = None) -> None:
        self._say(error(problem, about or ref_id), ref_id)

    def _say(self, message: ServerMessage, ref_id: str | None) -> None:
        self.hub.sends.say(self.connection, message, ref_id)

    def _fail(self, fault: Exception) -> None:
        refusal = refusal_of(fault)
        self.connection.close(CLOSE_CODE[type(refusal)], refusal.code)


def speaks_until(connection: Connection, identity: Identity) -> None:
    """The connection ends with the token, unless a newer one comes."""
    connection.expires(asyncio.get_running_loop().time() + identity.expires_at - time.time())


def refusal_of(fault: Exception) -> CwrkError:
    """What the other side is told: a fault of ours is in the log, and not in the answer."""
    if isinstance(fault, CwrkError):
        return fault
    logger.error("unexpected error", exc_info=fault)
    return Internal("Something went wrong on our side.")
