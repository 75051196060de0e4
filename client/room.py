"""A room one is in: what is said there, in order, and what one says."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from client.conversation import Conversation, Left
from client.errors import Unreachable
from client.events import Event, HistoryChanged, Missed
from client.models import Acked, HistoryItem, Person, Position, RoomInfo, Settings, Timer
from client.rest import Rest, segment

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack

    from client.voice import Voice

SAY_S = 60.0


class Room:
    """Made by `Client.room`; a context manager. At its end the connection is closed, the membership stays."""

    def __init__(self, rest: Rest, room_id: str, since: Position | None, patience: float) -> None:
        self.id = room_id
        self._rest, self._patience = rest, patience
        self._path = f"/rooms/{segment(room_id)}"
        self._conversation = Conversation(rest, room_id, self._path, since)
        self._events = Events(self._conversation)
        self._running: asyncio.Task[None] | None = None
        self._voice: Voice | None = None

    async def __aenter__(self) -> Self:
        """Joined and connected; `people` and `settings` are known. Raises Refused, Closed, Unreachable."""
        await self._rest.call("POST", f"{self._path}/join")
        self._running = asyncio.create_task(self._conversation.run())
        try:
            async with asyncio.timeout(self._patience):
                await asyncio.shield(self._conversation.entered)
        except TimeoutError:
            await self._end()
            raise Unreachable(f"no websocket within {self._patience:g} s") from None
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._voice is not None:
            await self._voice.leave()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    # --- hearing

    @property
    def events(self) -> AsyncIterator[Event]:
        """All that happens, for one reader. It ends when the room is left, with Closed when one is sent out.

        At most 1,000 wait. Who is slower loses no event of the log: they are read by and by from the server.
        What passes (typing, who came) is dropped then; `people` is right all the same.
        """
        return self._events

    @property
    def position(self) -> Position | None:
        """Behind the last event of the log that one is done with: has asked for another one after it."""
        return self._events.done

    @property
    def people(self) -> Mapping[str, Person]:
        """Who is here now, oneself too, by user id."""
        return self._conversation.presence.people

    @property
    def settings(self) -> Settings:
        """Name, topic, who may do what, as of now."""
        settings = self._conversation.presence.settings
        if settings is None:
            raise RuntimeError("not in the room yet: `async with client.room(…) as room`")
        return settings

    @property
    def connected(self) -> bool:
        """Whether there is a connection now. It comes back by itself."""
        return self._conversation.link.up.is_set()

    async def history(self, *, limit: int = 50, search: str | None = None) -> list[HistoryItem]:
        """The newest messages, newest first; with `search` those that have these words."""
        page = await self._rest.call("GET", f"{self._path}/chat", params={"limit": limit, "q": search})
        return [HistoryItem.read(item) for item in page["items"]]

    async def info(self) -> RoomInfo:
        """The room as the list of rooms has it."""
        return RoomInfo.read(await self._rest.call("GET", self._path))

    # --- saying. Each is sent until it is acked, and there once, whatever becomes of the connection.

    async def say(
        self,
        text: str,
        *,
        reply_to: str | None = None,
        client_msg_id: str | None = None,
        deadline: float = SAY_S,
    ) -> Acked:
        """Returns when it is saved. Raises Refused; Unanswered when `deadline` seconds were not enough.

        `client_msg_id`: one of your own, to say the same thing again after Unanswered, or after a restart.
        """
        said = {"message": text} | ({"reply_to": reply_to} if reply_to else {})
        return await self._say("chat", said, client_msg_id, deadline)

    async def edit(self, msg_id: str, text: str, *, deadline: float = SAY_S) -> Acked:
        return await self._say("chat_edit", {"msg_id": msg_id, "message": text}, None, deadline)

    async def delete(self, msg_id: str, *, deadline: float = SAY_S) -> Acked:
        return await self._say("chat_delete", {"msg_id": msg_id}, None, deadline)

    async def put(self, emoji: str, msg_id: str, *, added: bool = True, deadline: float = SAY_S) -> Acked:
        """An emoji under a message; with `added` false one's own is taken away."""
        said = {"msg_id": msg_id, "emoji": emoji, "added": added}
        return await self._say("chat_reaction", said, None, deadline)

    async def _say(
        self, kind: str, payload: Mapping[str, Any], client_msg_id: str | None, deadline: float
    ) -> Acked:
        return await self._conversation.say(kind, payload, client_msg_id or uuid.uuid4().hex, deadline)

    # --- telling: not kept, not answered

    async def typing(self, typing: bool = True) -> None:
        await self._conversation.tell("typing", {"typing": typing})

    async def react(self, emoji: str) -> None:
        """For everybody to see, for a moment."""
        await self._conversation.tell("reaction", {"emoji": emoji})

    async def raise_hand(self, raised: bool = True) -> None:
        await self._conversation.tell("hand", {"raised": raised})

    async def read(self, seq: int) -> None:
        """One has read everything up to `seq`."""
        await self._conversation.tell("read", {"seq": seq})

    # --- the timer

    async def timer(self) -> Timer:
        return Timer.read(await self._rest.call("GET", f"{self._path}/timer"))

    async def start_timer(self, *, focus_s: int | None = None, break_s: int | None = None) -> Timer:
        """Focus and break, over and over. Without lengths it goes on with those it has."""
        lengths = {"focus_s": focus_s, "break_s": break_s}
        given = {name: value for name, value in lengths.items() if value is not None}
        return await self._set_timer({"action": "start", **given})

    async def pause_timer(self) -> Timer:
        return await self._set_timer({"action": "pause"})

    async def stop_timer(self) -> Timer:
        return await self._set_timer({"action": "stop"})

    async def _set_timer(self, body: Mapping[str, Any]) -> Timer:
        return Timer.read(await self._rest.call("PUT", f"{self._path}/timer", body))

    # --- moderating

    async def moderate(
        self, action: str, user_id: str, *, role: str | None = None, seconds: int | None = None
    ) -> int:
        """mute, unmute, kick, ban (for `seconds`), unban, role (to `role`). The `seq` of the event."""
        body = {
            name: value for name, value in {"role": role, "seconds": seconds}.items() if value is not None
        }
        path = f"{self._path}/participants/{segment(user_id)}/{segment(action)}"
        answer = await self._rest.call("POST", path, body or None)
        return int(answer["seq"])

    async def leave(self) -> None:
        """Ends the membership; `events` ends, and nothing more can be said."""
        if self._running is not None:
            self._running.cancel()
        await self._rest.call("POST", f"{self._path}/leave")

    # --- voice

    async def join_voice(
        self,
        track: MediaStreamTrack | None = None,
        *,
        slots: int = 9,
        ice_servers: Sequence[Mapping[str, Any]] = (),
    ) -> Voice:
        """Speaks with `track` (audio, of aiortc; none: only listens), hears `slots` people at once.

        `ice_servers` as in RTCConfiguration, for where no direct way leads to the server; its own are in
        `room.ice_servers`. Wants aiortc. Raises VoiceEnded, Refused, Unreachable.
        """
        from client.voice import Voice

        if self._voice is not None:
            await self._voice.leave()
        self._voice = Voice(self._conversation, track, slots, ice_servers)
        await self._voice.join()
        return self._voice

    @property
    def ice_servers(self) -> Sequence[Mapping[str, Any]]:
        return self._conversation.ice_servers


class Events:
    """An iterator over the inbox; it notes what its reader is done with."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._handed: Event | None = None
        self._done: Position | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        self._done = self._behind(self._handed)
        self._handed = None
        try:
            self._handed = await self._conversation.inbox.take()
        except Left:
            raise StopAsyncIteration from None
        return self._handed

    @property
    def done(self) -> Position | None:
        return self._done or self._conversation.start

    def _behind(self, event: Event | None) -> Position | None:
        before = self.done
        match event:
            case HistoryChanged(epoch, last_seq):
                return Position(epoch, last_seq)
            case Missed(_, up_to):
                return before and Position(before.epoch, up_to)
        seq: int | None = getattr(event, "seq", None)
        return before if seq is None else before and Position(before.epoch, seq)
