"""A room with Ann and Bob in it, for the tests of Room: values in, effects out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from rooms.core.effects import Broadcast, Effect
from rooms.core.events import Body, Event
from rooms.core.participant import Member, Snapshot
from rooms.core.participants import Roster
from rooms.core.room import Room
from rooms.frames.outgoing import Hello, Limits, Present, RoomView, TimerView

HELLO = Hello(
    conn_id="",
    epoch="e",
    last_seq=0,
    heartbeat_ms=15000,
    limits=Limits(65536, 4000, 5, 10),
    ice_servers=(),
    server_time_ms=0,
)
SETTINGS = RoomView("Algebra", "", "public", 10, "1", locked=False, slow_mode_s=0, listen_only=False)
TIMER = TimerView("stopped", 1500, 300, 0, 0)
ANN = Member(1, "Ann", "owner", muted_by="", joined_at=100, last_seen=100, visit=1)
BOB = Member(2, "Bob", "member", muted_by="", joined_at=200, last_seen=200, visit=2)

ANN_HERE = Present("1", "Ann", "owner", 100, 1000, muted=False, muted_by="")
BOB_HERE = Present("2", "Bob", "member", 200, 1001, muted=False, muted_by="")


def room_with(*members: Member) -> Room:
    """A room where these members are connected, by "c1", "c2", …, since 1000.0, 1001.0, …"""
    room = Room("R", "e", 41, SETTINGS, TIMER)
    for number, member in enumerate(members):
        room.connect(f"c{number + 1}", member, 1000.0 + number, HELLO)
    return room


def tables_say(
    room: Room, *members: Member, as_of: Mapping[int, Snapshot] | None = None, seq: int | None = None
) -> list[Effect]:
    """The tables were read just now, or when `as_of` were here and the log stood at `seq`."""
    known = room.participants.here() if as_of is None else as_of
    return room.participants.read(Roster(members, known, room.feed.delivered_seq if seq is None else seq))


def happens(room: Room, seq: int, body: Body, by: Member = ANN) -> list[Effect]:
    """The log delivers an event: what follows from it, after everybody was told."""
    at = datetime.fromtimestamp(1002, UTC)
    told, *then = room.feed.events([Event(seq, UUID(int=seq), by.user_id, by.display_name, at, body)])
    assert isinstance(told, Broadcast)
    assert told.seq == seq
    return then
