"""The machinery of a room: what comes over its websocket, and what has to be said until it is acked.

Four parts that know no socket (where one stands in the log, who is here, what waits to be said, what waits
to be heard) around the link that has one.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from client.errors import ClientError, ProtocolError, Refused, Unanswered, Unreachable
from client.events import Event, HistoryChanged, Missed, read_log_event, read_passing_event
from client.follower import Follower
from client.inbox import Inbox
from client.link import Link
from client.models import Acked, Position
from client.outbox import Outbox, Saying
from client.presence import Presence
from client.rest import Rest

EVENTS = 1000  # that wait to be heard; past it the log's stay at the server, and the passing ones are dropped
SAYINGS = 32  # that wait for their acks; who says more waits
PAGE = 200
AGAIN_S = 1.0  # after an answer that asks to come back and does not say when

Frame: TypeAlias = Mapping[str, Any]


class Left(ClientError):
    """One has left of one's own will."""


class Conversation:
    """`run` it; `entered` is done with the first connection, or with the reason why there is none."""

    def __init__(self, rest: Rest, room_id: str, path: str, since: Position | None) -> None:
        self._rest, self._path = rest, path
        self.link = Link(rest, room_id, self)
        self.presence = Presence()
        self.inbox: Inbox[Event] = Inbox(EVENTS)
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ice_servers: Sequence[Mapping[str, Any]] = ()
        self.voice_heard: Callable[[Frame], None] = lambda frame: None
        self._follower = Follower()
        self._outbox, self._places = Outbox(), asyncio.Semaphore(SAYINGS)
        self._asked: dict[str, asyncio.Future[Frame]] = {}
        self._said, self._behind = asyncio.Event(), asyncio.Event()
        self._ended: BaseException | None = None
        self.start = since
        if since is not None:
            self._follower.start(since)

    @property
    def position(self) -> Position | None:
        """Behind the last event that was taken from the server."""
        return self._follower.position

    async def run(self) -> None:
        """Until it is over for good, or cancelled; whoever waits for something hears why."""
        parts = [
            asyncio.create_task(part()) for part in (self.link.run, self._say_what_is_due, self._catch_up)
        ]
        reason: BaseException = Left("the room was left")
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            reason = next(iter(done)).exception() or reason
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            self._end(reason)

    def _end(self, reason: BaseException) -> None:
        self._ended = reason
        self.inbox.end(reason)
        waiting: list[asyncio.Future[Any]] = [self.entered, *self._asked.values()]
        waiting += [saying.acked for saying in self._outbox.waiting.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(reason)
                future.exception()  # nobody may wait for it

    # --- saying

    async def say(self, kind: str, payload: Mapping[str, Any], client_msg_id: str, deadline: float) -> Acked:
        """Until it is acked. Raises Refused, or Unanswered after `deadline` seconds."""
        acked: asyncio.Future[Acked] = asyncio.get_running_loop().create_future()
        said = {**payload, "client_msg_id": client_msg_id}
        try:
            async with asyncio.timeout(deadline), self._places:
                self._check()
                if client_msg_id in self._outbox.waiting:
                    raise ValueError(f"{client_msg_id} is being said already")
                self._outbox.waiting[client_msg_id] = Saying(client_msg_id, kind, said, acked)
                self._said.set()
                try:
                    return await acked
                finally:
                    del self._outbox.waiting[client_msg_id]
        except TimeoutError:
            raise Unanswered(client_msg_id) from None

    async def ask(self, kind: str, payload: Mapping[str, Any]) -> Frame:
        """The frame that answers, over this connection. Raises Refused; Unreachable when that is lost."""
        self._check()
        frame_id, answer = uuid.uuid4().hex, asyncio.get_running_loop().create_future()
        self._asked[frame_id] = answer
        try:
            if not await self.link.send(kind, payload, frame_id):
                raise Unreachable("there is no connection now")
            async with asyncio.timeout(self._rest.deadline):
                frame: Frame = await answer
                return frame
        except TimeoutError:
            raise Unreachable(f"{kind}: no answer within {self._rest.deadline:g} s") from None
        finally:
            del self._asked[frame_id]

    async def tell(self, kind: str, payload: Mapping[str, Any]) -> None:
        """What is not answered, as soon as there is a connection. Raises Unreachable."""
        self._check()
        try:
            async with asyncio.timeout(self._rest.deadline):
                while not await self.link.send(kind, payload):
                    await self.link.up.wait()
        except TimeoutError:
            raise Unreachable(f"{kind}: no connection within {self._rest.deadline:g} s") from None

    def _check(self) -> None:
        if self._ended is not None:
            raise self._ended

    async def _say_what_is_due(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self.link.up.wait()
            self._said.clear()
            due = self._outbox.next(loop.time())
            if isinstance(due, Saying):
                await self.link.send(due.type, due.payload, due.client_msg_id)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due):
                    await self._said.wait()

    # --- hearing

    def received(self, frame: Frame) -> None:
        """One frame. What does not have the published form raises ProtocolError."""
        try:
            self._received(frame)
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProtocolError(f"cannot read a frame of type {frame.get('type')}: {wrong!r}") from wrong

    def _received(self, frame: Frame) -> None:
        kind, payload = frame["type"], frame["payload"]
        if "seq" in frame:
            self._hear(frame)
        match kind:
            case "hello":
                self._greeted(payload)
                self.voice_heard(frame)
            case "resumed":
                self._follower.replayed()
                self._look_back()
            case "chat_ack" | "ack":
                self._acked(payload)
            case "error":
                self._refused(payload)
                return
            case "slots" | "voice_lost":
                self.voice_heard(frame)
        if (asked := self._asked.get(frame.get("id", ""))) is not None and not asked.done():
            asked.set_result(frame)
        passing = self.presence.hear(frame)
        passing += [each] if (each := read_passing_event(frame)) else []
        for event in passing:
            if self.inbox.has_room:
                self.inbox.put(event)
        if kind == "state" and not self.entered.done():
            self.entered.set_result(None)

    def _greeted(self, hello: Mapping[str, Any]) -> None:
        if self._follower.greeted(hello["epoch"], hello["last_seq"]):
            self.inbox.put(HistoryChanged(hello["epoch"], hello["last_seq"]))  # too rare to be bounded
        self.start = self.start or self._follower.position
        self.ice_servers = hello["ice_servers"]
        limits, now = hello["limits"], asyncio.get_running_loop().time()
        self._outbox.connected(limits["chat_per_second"], limits["chat_burst"], now)
        self._said.set()

    def disconnected(self) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(Unreachable("the connection was lost"))
                answer.exception()

    def _acked(self, payload: Mapping[str, Any]) -> None:
        saying = self._outbox.waiting.get(payload["client_msg_id"] or "")
        if saying is not None and not saying.acked.done():
            msg_id = payload.get("msg_id", "")
            saying.acked.set_result(
                Acked(payload["seq"], saying.client_msg_id, msg_id, duplicate=payload["duplicate"])
            )

    def _refused(self, payload: Mapping[str, Any]) -> None:
        after = payload.get("retry_after_ms")
        refusal = Refused(
            payload["code"],
            payload["message"],
            retryable=payload["retryable"],
            retry_after=None if after is None else after / 1000,
        )
        about = payload["ref_id"] or ""
        if (saying := self._outbox.waiting.get(about)) is not None:
            if refusal.retryable:
                wait = AGAIN_S if refusal.retry_after is None else refusal.retry_after
                saying.not_before, saying.again_at = asyncio.get_running_loop().time() + wait, 0.0
                self._said.set()
            elif not saying.acked.done():
                saying.acked.set_exception(refusal)
        elif (asked := self._asked.get(about)) is not None and not asked.done():
            asked.set_exception(refusal)

    # --- the log

    def _hear(self, frame: Frame) -> None:
        if self._follower.hears(frame["seq"], room=self.inbox.has_room):
            if (event := read_log_event(frame)) is not None:
                self.inbox.put(event)
        else:
            self._look_back()

    def _look_back(self) -> None:
        if not self._follower.live:
            self._behind.set()

    async def _catch_up(self) -> None:
        """Reads by pages what did not come live, at the pace at which it is heard."""
        while True:
            await self._behind.wait()
            self._behind.clear()
            while not self._follower.live:
                try:
                    if not await self._read_page():
                        await asyncio.sleep(AGAIN_S)
                except Unreachable:
                    await asyncio.sleep(AGAIN_S)
                except Refused as refusal:
                    if not refusal.retryable:
                        raise
                    await asyncio.sleep(refusal.retry_after or AGAIN_S)

    async def _read_page(self) -> bool:
        """Whether it was any good."""
        follower, epoch = self._follower, self._follower.epoch
        params: dict[str, str | int | None] = {"since_seq": follower.seq, "limit": PAGE}
        page = await self._rest.call("GET", f"{self._path}/events", params=params)
        if page["epoch"] != epoch:
            return False  # the hello of a new connection will say so
        for frame in page["items"]:
            await self.inbox.room()
            if follower.epoch != epoch:
                return True
            self._missed_before(frame["seq"])
            follower.read(frame["seq"])
            if (event := read_log_event(frame)) is not None:
                self.inbox.put(event)
        if not page["items"]:
            self._missed_before(page["last_seq"] + 1)
            follower.read(page["last_seq"])
        return follower.caught_up() or bool(page["items"])

    def _missed_before(self, seq: int) -> None:
        if seq > self._follower.seq + 1:
            self.inbox.put(Missed(self._follower.seq, seq - 1))
