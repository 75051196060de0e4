"""A client as the contract wants it: it retries with the same id, resumes, and believes what it is told.

It checks nothing. What it sent, was told and believes goes into its History; the checker judges that.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from common.errors import CwrkError
from tests import frames
from tests.chaos.history import Ack, Event, History, Send, Stretch, mark
from tests.chaos.servers import Servers, event_of

WINDOW = 8  # sends on their way at once
TICK_SECONDS = 0.1
PING_SECONDS = 0.5
FIRST_PATIENCE = (
    1.5  # without a sign of life, or an ack; then twice as long each time, as the machine may be slow
)
LAST_PATIENCE = 24.0
ABANDONS = 0.02  # how many sends of unknown outcome a client forgets when it changes connections
WORDS = ("algebra", "ядро", "группа", "kernel", "lemma", "🎲", "proof", "ring")

LATE = 40  # events, among which are the messages that one edits, deletes and puts emojis under
EMOJIS = ("👍", "🎉", "🤔")
FRAMES = {
    "chat": "chat",
    "chat_edited": "chat_edit",
    "chat_deleted": "chat_delete",
    "chat_reaction": "chat_reaction",
}
# What is refused by right: somebody was quicker.
TOO_LATE = {"MESSAGE_DELETED"}

GIVE_UP = {4000, 4001, 4003, 4004}  # close codes after which a client does not come back


class Lost(Exception):
    """This connection is no good any more."""


@dataclass
class Budget:
    """How much may still be said, by all clients together."""

    left: int = 0
    endless: bool = False

    def take(self) -> bool:
        if self.endless or self.left > 0:
            self.left -= 1
            return True
        return False


@dataclass
class Client:
    """One person with one connection at a time, to any replica. Everything random comes from `rng`."""

    history: History
    cluster: Servers
    http: aiohttp.ClientSession
    budget: Budget
    rng: random.Random
    counts: Counter[str]
    acts: float = 0.25  # how much of what it says is about a message that is there
    refusals: list[str] = field(default_factory=list)  # answers that no fault excuses
    connected: bool = False
    at: str = ""  # the replica that it is connected to, or was last
    asides: list[dict[str, Any]] = field(
        default_factory=list
    )  # frames that are said once, over this connection
    _unacked: dict[str, Send] = field(default_factory=dict)
    _inflight: dict[str, float] = field(default_factory=dict)  # when sent over this connection
    _due: dict[str, float] = field(default_factory=dict)  # after an error: not before
    _patience: float = FIRST_PATIENCE
    _heard_at: float = 0.0
    _epoch: str = ""  # this connection's
    _stretch: Stretch | None = None
    _held: list[Event] = field(default_factory=list)  # live events while the history is read
    _read_to: int = 0  # by reading the history: what comes live up to here is known already
    _refetching: asyncio.Task[None] | None = None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _here: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._here.set()

    @property
    def at_rest(self) -> bool:
        """Connected, nothing unacked, nothing being fetched."""
        return self.connected and not self._unacked and self._refetching is None

    @property
    def state(self) -> str:
        """For the report of a failure."""
        return f"connected: {self.connected}, unacked: {len(self._unacked)}, fetching: {self._refetching}"

    def wake(self) -> None:
        """There is something to say."""
        self._wake.set()

    def go_away(self) -> None:
        """Until `come_back`, with what it knows."""
        self._here.clear()
        self.wake()

    def come_back(self) -> None:
        self._here.set()

    async def run(self) -> None:
        """Connect, live, come back, until cancelled."""
        while not self.refusals:
            await self._here.wait()
            try:
                await self._visit()
            except aiohttp.WSServerHandshakeError as refusal:
                if refusal.status in (401, 403, 404):
                    self.refusals.append(f"HTTP {refusal.status}")
                self.counts[f"HTTP {refusal.status}"] += 1
            except (Lost, aiohttp.ClientError, OSError, TimeoutError):
                pass
            self.counts["connections that ended"] += 1
            self._forget_some()
            await asyncio.sleep(self.rng.uniform(0.02, 0.2))

    def _forget_some(self) -> None:
        for name in [name for name, send in self._unacked.items() if send.tries]:
            if self.rng.random() < ABANDONS:
                self._unacked.pop(name).abandoned = True
                self.counts["abandoned"] += 1

    # --- one connection ---------------------------------------------------------------------------------

    async def _visit(self) -> None:
        replica = self.rng.choice(self.cluster.replicas)
        self.at = replica.name
        token = self.cluster.token(self.history.user_id)
        resume = {"epoch": self.history.epoch, "last_seq": self.history.last_seq}
        in_url = self.rng.random() < 0.5
        query: dict[str, Any] = {"access_token": token} if in_url else {}
        if in_url and self.history.epoch:
            query |= resume
        async with asyncio.timeout(self._patience):
            ws = await self.http.ws_connect(
                f"{replica.url}/ws/rooms/{self.history.room_id}",
                params=query,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=0.5),
            )
        try:
            if not in_url:
                with_resume = {"resume": resume} if self.history.epoch else {}
                await ws.send_json({"type": "auth", "payload": {"access_token": token, **with_resume}})
            await self._live(ws)
        finally:
            self.connected = False
            if self._refetching is not None:
                self._refetching.cancel()
                self._refetching = None
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                await ws.close()

    async def _live(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._inflight.clear()
        self._due.clear()
        self._held.clear()
        self.asides.clear()
        self._read_to = 0
        self._stretch = None
        self._heard_at = asyncio.get_running_loop().time()
        both = asyncio.create_task(self._write(ws)), asyncio.create_task(self._read(ws))
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    # --- saying -----------------------------------------------------------------------------------------

    async def _write(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        ping_at = loop.time()
        while True:
            now = loop.time()
            if not self._here.is_set():
                raise Lost
            if now > self._heard_at + self._patience:
                self._be_more_patient()
                raise Lost
            if now > ping_at:
                await ws.send_json({"type": "ping", "payload": {}})
                ping_at = now + PING_SECONDS
            if self.connected:
                while self.asides:
                    await ws.send_json(self.asides.pop(0))
                for send in self._to_say(now):
                    await self._say(ws, send, now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()

    def _to_say(self, now: float) -> list[Send]:
        """What is to be sent now: again, or for the first time."""
        found = []
        for name, send in self._unacked.items():
            if name not in self._inflight:
                if self._due.get(name, 0) <= now:
                    found.append(send)
            elif now > self._inflight[name] + self._patience:
                self._be_more_patient()
                if self.rng.random() < 0.5:
                    raise Lost
                found.append(send)
        while len(self._unacked) < WINDOW and self.budget.take():
            send = self._something()
            self._unacked[send.client_msg_id] = self.history.sends[send.client_msg_id] = send
            found.append(send)
        return found

    def _something(self) -> Send:
        """A message, or something about a late one."""
        name = f"{self.history.user_id}-{len(self.history.sends)}"
        text = f"{name} {' '.join(self.rng.choices(WORDS, k=self.rng.randint(1, 12)))}"
        late = [event for event in self.history.applied[-LATE:] if event.kind == "chat"]
        if not late or self.rng.random() > self.acts:
            return Send(name, text)
        event = self.rng.choice(late)
        about = {"msg_id": event.msg_id, "client_msg_id": name}
        if event.user_id != self.history.user_id or self.rng.random() < 0.4:
            put = {"emoji": self.rng.choice(EMOJIS), "added": self.rng.random() < 0.7}
            return Send(name, "", "chat_reaction", {**about, **put})
        if self.rng.random() < 0.3:
            return Send(name, "", "chat_deleted", about)
        return Send(name, text, "chat_edited", {**about, "message": text})

    async def _say(self, ws: aiohttp.ClientWebSocketResponse, send: Send, now: float) -> None:
        send.first_sent = send.first_sent or mark()
        send.said_at = send.said_at or now
        self.counts["retries" if send.tries else f"sends: {send.kind}"] += 1
        send.tries += 1
        self._inflight[send.client_msg_id] = now
        said = send.frame or {"message": send.text, "client_msg_id": send.client_msg_id}
        await ws.send_json({"type": FRAMES[send.kind], "payload": said})

    def _be_more_patient(self) -> None:
        self._patience = min(2 * self._patience, LAST_PATIENCE)

    # --- hearing ----------------------------------------------------------------------------------------

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        while True:
            message = await ws.receive()
            self._heard_at = loop.time()
            if message.type is not aiohttp.WSMsgType.TEXT:
                self.counts[f"closed with {ws.close_code}"] += 1
                if ws.close_code in GIVE_UP:
                    self.refusals.append(f"closed with {ws.close_code} {message.extra}")
                raise Lost
            frame = message.json()
            try:
                frames.SENT.check(frame)
            except AssertionError as wrong:
                self.refusals.append(str(wrong))
                raise Lost from wrong
            handler = getattr(self, f"_on_{frame['type']}", None)
            if handler is not None:
                handler(frame, frame["payload"])

    def _on_hello(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        self._epoch = payload["epoch"]
        if self.history.epoch:  # a resume: `resumed` comes
            self._begin(self.history.last_seq)
        else:
            self._begin(payload["last_seq"])
            self._refetch()
            self.connected = True

    def _on_resumed(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        self.counts["resumed" if payload["recovered"] else "not recovered"] += 1
        if payload["recovered"]:
            self.history.epoch = self._epoch
        else:
            self._begin(payload["to_seq"])
            self._refetch()
        self.connected = True
        self.wake()

    def _begin(self, from_seq: int) -> None:
        self._stretch = Stretch(self._epoch, from_seq)
        self.history.stretches.append(self._stretch)

    def _on_event(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        event = event_of(frame)
        assert self._stretch is not None
        self._stretch.events.append(event)
        if self._refetching:
            self._held.append(event)
        elif event.seq > self._read_to:
            self.history.applied.append(event)

    _on_chat = _on_chat_edited = _on_chat_deleted = _on_chat_reaction = _on_event

    def _on_chat_ack(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        name = payload["client_msg_id"]
        ack = Ack(self._epoch, name, payload.get("msg_id", ""), payload["seq"], payload["duplicate"])
        self.history.acks.append(ack)
        self.counts["acks"] += 1
        self.counts["duplicates"] += ack.duplicate
        send = self.history.sends[name]
        send.acked = send.acked or mark()
        self._unacked.pop(name, None)
        self._inflight.pop(name, None)
        self._patience = FIRST_PATIENCE
        self.wake()

    _on_ack = _on_chat_ack

    def _on_error(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        self.counts[payload["code"]] += 1
        name = payload["ref_id"]
        if payload["code"] in TOO_LATE:
            self._unacked.pop(name, None)
            self._inflight.pop(name, None)
            return
        if not payload["retryable"]:
            self.refusals.append(f"{payload['code']}: {payload['message']}")
            raise Lost
        if name in self._inflight:
            del self._inflight[name]
            wait = payload.get("retry_after_ms", 100) / 1000
            self._due[name] = asyncio.get_running_loop().time() + wait * self.rng.uniform(0.2, 1)

    def _on_reconnect(self, frame: dict[str, Any], payload: dict[str, Any]) -> None:
        self.counts["asked to go elsewhere"] += 1
        raise Lost

    # --- starting afresh --------------------------------------------------------------------------------

    def _refetch(self) -> None:
        """What was believed is forgotten; the history takes its place, and what came live meanwhile."""
        self.history.epoch, self.history.applied = "", []
        if self._refetching is not None:
            self._refetching.cancel()
        self._refetching = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        while True:
            try:
                replica = self.rng.choice(self.cluster.replicas)
                events = await self.cluster.events(replica, self.history.room_id, self.history.user_id)
                break
            except CwrkError:
                await asyncio.sleep(0.2)
        self._read_to = events[-1].seq if events else 0
        self.history.applied = events + [event for event in self._held if event.seq > self._read_to]
        self.history.epoch = self._epoch
        self._held.clear()
        self._refetching = None
        self.counts["refetches"] += 1
