"""Events of every kind: what was written into the log is read as it was, and sent as it is announced."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from common import database
from common.errors import NotFound
from rooms.core.events import Body, Changed, Deleted, Edited, Reacted, Ruled, Timed, announcement
from rooms.frames.codec import encode
from rooms.frames.outgoing import RoomView, TimerView
from rooms.log.event_rows import append_event, events_after
from tests.rooms import kit

NOBODY = UUID("0198f000-0000-7000-8000-000000000000")
LATER = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOM = RoomView("Physics", "waves", "private", 20, "1", locked=True, slow_mode_s=5, listen_only=True)
BODIES: list[Body] = [
    Ruled(2, "ban", until=LATER),
    Ruled(2, "role", role="moderator"),
    Changed(ROOM),
    Timed(TimerView("running", 1500, 300, 1_700_000_000_000, 0)),
    Reacted(NOBODY, "👍", added=True),
    Deleted(NOBODY),
    Edited(NOBODY, ""),  # of a message that is forgotten
]


async def test_every_kind_is_read_as_it_was_written_and_delivered_in_order(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    async with database.connect(rooms.config.database_url) as opened:
        async with opened.transaction() as connection:
            written = [await append_event(connection, UUID(room_id), 1, body) for body in BODIES]
        async with opened.connection() as connection:
            assert await events_after(connection, UUID(room_id), 0, 100) == written
    assert [event.body for event in written] == BODIES
    assert [event.seq for event in written] == list(range(1, len(BODIES) + 1))
    for event in written:  # the replica finds them by looking
        frame = await ann.next()
        assert frame == json.loads(encode(announcement(room_id, event), seq=event.seq))


async def test_who_comes_later_finds_the_room_as_it_was_changed(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    async with (
        database.connect(rooms.config.database_url) as opened,
        opened.transaction() as connection,
    ):
        await append_event(connection, UUID(room_id), 1, Changed(ROOM))
    await ann.until("room_updated")
    again = await rooms.connect(room_id, 1)
    assert again.seen[-1]["payload"]["room"]["topic"] == "waves"


async def test_nothing_is_written_into_the_log_of_a_room_that_is_gone(rooms: kit.Rooms) -> None:
    async with (
        database.connect(rooms.config.database_url) as opened,
        opened.transaction() as connection,
    ):
        with pytest.raises(NotFound):
            await append_event(connection, NOBODY, 1, Deleted(NOBODY))
