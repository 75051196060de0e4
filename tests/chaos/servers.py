"""The servers that clients of a run talk to, and what their tables say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast
from uuid import UUID

import asyncpg

from dev.child import tail
from dev.postgres import Postgres
from dev.valkey import Valkey
from proto import rooms_pb2, rooms_pb2_grpc
from tests.chaos.history import Event, Message
from tests.chaos.program import Program, Rooms

READY_SECONDS = 60.0
PAGE = 100

T = TypeVar("T")


class Servers:
    """All of them. What blocks runs on one thread, which lives as long as the processes that it starts."""

    database = "chaos"
    replicas: Sequence[Rooms]

    def __init__(self, postgres: Postgres, valkey: Valkey, thread: ThreadPoolExecutor) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self._thread = thread

    @property
    def programs(self) -> Sequence[Program]:
        """All that are ours."""
        return self.replicas

    def token(self, user_id: int) -> str:
        """An access token of somebody's."""
        raise NotImplementedError

    async def do(self, work: Callable[[], T]) -> T:
        """Start or stop something, without standing still meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def ready(self) -> None:
        """Wait until all are. One that ended by itself is started again, as a supervisor does."""
        for program in self.programs:
            async with asyncio.timeout(READY_SECONDS):
                while not await self.do(program.ready):
                    await self.do(program.start)
                    await asyncio.sleep(0.1)

    async def epoch(self) -> str:
        """What this history is called."""
        connection = await asyncpg.connect(self.postgres.url(self.database))
        try:
            return str(await connection.fetchval("SELECT epoch FROM rooms.deployment"))
        finally:
            await connection.close()

    async def call(self, replica: Rooms, method: str, request: Any, user_id: int) -> Any:
        """A gRPC call of a user. Raises CwrkError."""
        stub = rooms_pb2_grpc.RoomsStub(cast(Any, replica.client.channel))
        return await replica.client.call(getattr(stub, method), request, user_token=self.token(user_id))

    async def make_room(self, *user_ids: int) -> str:
        """A room with these members; its id."""
        first = self.replicas[0]
        asked = rooms_pb2.CreateRoomRequest(name="Chaos", max=500)
        room_id = str((await self.call(first, "CreateRoom", asked, user_ids[0])).id)
        for user_id in user_ids:
            await self.call(first, "JoinRoom", rooms_pb2.JoinRoomRequest(room_id=room_id), user_id)
        return room_id

    async def events(self, replica: Rooms, room_id: str, user_id: int) -> list[Event]:
        """The whole log of a room as GET /rooms/{id}/events gives it. Raises CwrkError."""
        found: list[Event] = []
        while True:
            since = found[-1].seq if found else 0
            asked = rooms_pb2.ListEventsRequest(room_id=room_id, since_seq=since, limit=PAGE)
            page = await self.call(replica, "ListEvents", asked, user_id)
            found += [event_of(json.loads(frame)) for frame in page.frames]
            if not page.frames:
                return found

    async def messages(self, replica: Rooms, room_id: str, user_id: int) -> dict[str, Message]:
        """The messages of a room as GET /rooms/{id}/chat gives them. Raises CwrkError."""
        found: dict[str, Message] = {}
        cursor = ""
        while True:
            asked = rooms_pb2.ListChatRequest(room_id=room_id, after=cursor, limit=PAGE)
            page = await self.call(replica, "ListChat", asked, user_id)
            for item in page.items:
                put = frozenset((r.emoji, int(user_id)) for r in item.reactions for user_id in r.user_ids)
                found[item.id] = Message(item.text, item.deleted, put)
            cursor = page.next_cursor
            if not cursor:
                return found

    async def log(self, room_id: str, after: int = 0) -> tuple[int, list[Event]]:
        """The head and the events of a room as the tables have them."""
        connection = await asyncpg.connect(self.postgres.url(self.database))
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                head = await connection.fetchval(
                    "SELECT last_seq FROM rooms.heads WHERE room_id = $1", UUID(room_id)
                )
                rows = await connection.fetch(
                    "SELECT e.seq, coalesce(e.about, e.id) AS id, e.user_id, e.client_msg_id, e.kind, e.body,"
                    " coalesce(said.text, e.text) AS text FROM rooms.events e"
                    " LEFT JOIN rooms.events said ON said.id = e.about"
                    " WHERE e.room_id = $1 AND e.seq > $2 ORDER BY e.seq",
                    UUID(room_id),
                    after,
                )
        finally:
            await connection.close()
        return int(head), [_event_in(row) for row in rows]

    def ends_of_logs(self, lines: int = 20) -> str:
        """For the report of a failure."""
        return "\n".join(f"--- {each.name}\n{tail(each.log, lines)}" for each in self.programs)


def event_of(frame: dict[str, Any]) -> Event:
    """The event in a durable frame."""
    payload = frame["payload"]
    return Event(
        frame["seq"],
        payload["msg_id"],
        int(payload["user_id"]),
        payload.get("client_msg_id", ""),
        payload.get("message", ""),
        frame["type"],
        _emoji(payload),
    )


def _event_in(row: asyncpg.Record) -> Event:
    """The event in a row of the log."""
    emoji = _emoji(json.loads(row["body"] or "{}"))
    return Event(
        row["seq"], str(row["id"]), row["user_id"], row["client_msg_id"], row["text"], row["kind"], emoji
    )


def _emoji(told: dict[str, Any]) -> str:
    return ("+" if told["added"] else "-") + told["emoji"] if "emoji" in told else ""
