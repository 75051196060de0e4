"""Leases in the tables: whoever is seen to go is seen to come again."""

from uuid import UUID, uuid4

import pytest

from common import database
from rooms.tables.presence import Here, Presence
from tests.rooms import kit
from tests.rooms.proxy import proxied

LAPSE = "UPDATE rooms.presence SET expires_at = now() WHERE user_id = 1"
SWEEP = (
    "WITH gone AS (DELETE FROM rooms.presence WHERE user_id = 1)"
    " UPDATE rooms.rooms SET roster_version = roster_version + 1"
)


@pytest.mark.parametrize("lost", [LAPSE, SWEEP])
async def test_a_lease_that_is_taken_again_counts_the_roster_up_and_one_that_runs_does_not(
    rooms: kit.Rooms, lost: str
) -> None:
    room_id = await rooms.create(1)
    ((visit,),) = await rooms.fetch("SELECT visit FROM rooms.members")
    async with database.connect(rooms.config.database_url) as opened:
        presence = Presence(opened, uuid4())
        ann = Here(room_id, 1, visit)
        assert await presence.renew([ann]) == [room_id]

        async def version() -> int:
            return (await presence.standing(room_id)).roster_version

        before = await version()
        assert await presence.renew([ann]) == []
        assert await version() == before
        await rooms.execute(lost)
        before = await version()
        assert await presence.renew([ann]) == [room_id]
        assert await version() == before + 1
        assert await presence.renew([ann]) == []
        assert await version() == before + 1


async def test_who_is_no_member_any_more_gets_no_lease(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(1)
    async with database.connect(rooms.config.database_url) as opened:
        presence = Presence(opened, uuid4())
        assert await presence.renew([Here(room_id, 1, 0), Here(str(UUID(int=1)), 1, 1)]) == []
    assert await rooms.fetch("SELECT FROM rooms.presence") == []


async def test_the_people_of_a_replica_that_was_without_its_database_are_seen_again(
    stack: kit.Stack, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other replica swept them meanwhile; it says that they are here, and so does what is read afresh."""
    monkeypatch.setattr("rooms.serve.RENEW_SECONDS", 0.2)
    async with proxied(database_url) as line:
        here, there = await stack.start(database_url=line.url), await stack.start()
        room_id = await there.create(2)
        await there.join(room_id, 1)
        ann, bob = await here.connect(room_id, 1), await there.connect(room_id, 2)
        await ann.until("peer_joined")
        await line.cut()
        await there.execute(LAPSE)
        assert (await bob.payload("peer_left"))["user_id"] == "1"
        await line.restore()
        assert (await bob.payload("peer_joined"))["user_id"] == "1"
        again = await there.connect(room_id, 2)
        state = next(frame for frame in again.seen if frame["type"] == "state")
        assert [p["user_id"] for p in state["payload"]["participants"]] == ["2", "1"]
        await ann.ws.close()
