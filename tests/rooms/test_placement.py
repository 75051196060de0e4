"""Several media workers, each a real gRPC server: where rooms are placed, and placed anew."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from common import VERSION
from common.config import ConfigError, load
from common.errors import Unavailable
from proto import media_pb2
from rooms.config import Config
from tests.rooms import kit
from tests.rooms.proxy import proxied
from tests.rooms.test_signalling import offer


@dataclass
class Worker:
    """`kill` is what a crash does."""

    media: kit.Media
    address: str
    life: contextlib.AsyncExitStack

    async def kill(self) -> None:
        await self.life.aclose()

    async def called(self, kind: str) -> tuple[Any, ...]:
        """The next call of this kind."""
        while (call := await self.media.called())[0] != kind:
            pass
        return call

    @property
    def voices(self) -> int:
        return len(self.media.voices)


Two = tuple[Worker, Worker]


@pytest.fixture
async def two(stack: kit.Stack) -> Two:
    return Worker(*await stack.worker()), Worker(*await stack.worker())


@pytest.fixture
async def rooms(stack: kit.Stack, two: Two) -> kit.Rooms:
    return await replica(stack, two)


async def replica(stack: kit.Stack, workers: Two) -> kit.Rooms:
    """One that has found both workers."""
    connected = [len(worker.media.streams) for worker in workers]
    rooms = await stack.start(media_addr=tuple(worker.address for worker in workers))
    for worker, before in zip(workers, connected, strict=True):
        async with asyncio.timeout(kit.PATIENCE):
            while len(worker.media.streams) == before:  # noqa: ASYNC110  # another's server: nothing to await
                await asyncio.sleep(0.01)
    room_id = await rooms.create(99)
    (watching,) = await rooms.enter(room_id, 99)
    for worker in workers:
        speakers = media_pb2.SpeakersChanged(room_id=room_id)
        worker.media.say(media_pb2.Event(speakers=speakers))
        await watching.until("speakers")  # so it has heard its hello
    return rooms


async def row(rooms: kit.Rooms, room_id: str) -> tuple[str, int]:
    """Where the table has the room."""
    (found,) = await rooms.fetch(
        "SELECT worker, generation FROM rooms.placements WHERE room_id = $1", UUID(room_id)
    )
    return found["worker"], found["generation"]


async def speaking(rooms: kit.Rooms, user_id: int = 1) -> tuple[str, kit.Socket]:
    """A room with a voice in it."""
    room_id = await rooms.create(user_id)
    (socket,) = await rooms.enter(room_id, user_id)
    await offer(socket)
    return room_id, socket


def of(address: str, workers: Two) -> Two:
    """The worker at this address, and the other one."""
    return workers if workers[0].address == address else (workers[1], workers[0])


async def test_the_least_loaded_worker_gets_a_new_room_and_a_room_stays(
    stack: kit.Stack, two: Two, rooms: kit.Rooms
) -> None:
    room_id, ann = await speaking(rooms)
    first, second = of((await row(rooms, room_id))[0], two)
    first.media.say(media_pb2.Event(load=media_pb2.WorkerLoad(voices=50)))
    speakers = media_pb2.SpeakersChanged(room_id=room_id)
    first.media.say(media_pb2.Event(speakers=speakers))
    await ann.until("speakers")  # so the load has come before

    for _ in range(3):
        other, _ = await speaking(rooms)
        assert (await row(rooms, other))[0] == second.address
    (bob,) = await rooms.enter(room_id, 2)
    await offer(bob)
    assert (first.voices, second.voices) == (2, 3)

    # Another replica, which is told nothing but the table, and has the other one first.
    later = await replica(stack, (second, first))
    (kim,) = await later.enter(room_id, 3)
    await offer(kim)
    assert (first.voices, second.voices) == (3, 3)


async def test_two_replicas_that_place_a_room_at_once_place_it_once(stack: kit.Stack, two: Two) -> None:
    pair = await replica(stack, two), await replica(stack, (two[1], two[0]))  # each likes another one
    for _ in range(5):
        room_id = await pair[0].create()
        await pair[0].join(room_id, 1, 2)
        ann, bob = await pair[0].connect(room_id, 1), await pair[1].connect(room_id, 2)
        before = two[0].voices, two[1].voices
        await asyncio.gather(offer(ann), offer(bob))
        new = two[0].voices - before[0], two[1].voices - before[1]
        assert sorted(new) == [0, 2]
        address, _ = await row(pair[0], room_id)
        assert of(address, two)[0].voices in (two[0].voices, two[1].voices)
        assert new[two[0].address != address] == 2


async def test_a_dead_workers_room_is_placed_on_another(two: Two, rooms: kit.Rooms) -> None:
    room_id, ann = await speaking(rooms)
    await ann.send("mute", {"muted": True})
    await ann.until("participant_updated")
    address, generation = await row(rooms, room_id)
    dead, alive = of(address, two)
    await dead.kill()
    assert (await ann.payload("voice_lost"))["reason"] == "worker_lost"
    await offer(ann)
    assert await alive.called("negotiate") == ("negotiate", "1", "v=0", True)
    address, newer = await row(rooms, room_id)
    assert address == alive.address
    assert newer > generation


async def test_replicas_of_which_one_has_lost_a_worker_end_on_one(stack: kit.Stack, two: Two) -> None:
    pair = await replica(stack, two), await replica(stack, two)
    room_id, ann = await speaking(pair[0])
    await pair[1].join(room_id, 2)
    bob = await pair[1].connect(room_id, 2)
    await offer(bob)
    address, generation = await row(pair[0], room_id)
    old, new = of(address, two)
    assert (old.voices, new.voices) == (2, 0)

    old.media.shut = True  # the first replica does not get to it any more; the second still hears it
    old.media.streams.pop(0).put_nowait(None)
    assert (await ann.payload("voice_lost"))["reason"] == "worker_lost"
    await offer(ann)
    assert (await bob.payload("voice_lost"))["reason"] == "worker_lost"
    ended = await old.called("end_room")
    assert ended[1] == room_id
    assert ended[2] > generation
    await offer(bob)
    assert (old.voices, new.voices) == (2, 2)


async def test_a_worker_that_hangs_is_left_and_what_it_was_asked_is_not_waited_for(
    two: Two, rooms: kit.Rooms
) -> None:
    room_id, ann = await speaking(rooms)
    hanging, other = of((await row(rooms, room_id))[0], two)
    await hanging.called("negotiate")
    hanging.media.answering.clear()
    await ann.send("offer", {"sdp": "v=0"})
    await hanging.called("negotiate")
    hanging.media.shut = True
    hanging.media.say(media_pb2.Event(hello=media_pb2.WorkerHello(worker_id="worker-1", alive_ms=20)))
    assert (await ann.payload("voice_lost"))["reason"] == "worker_lost"
    assert (await ann.payload("error"))["code"] == "MEDIA_UNAVAILABLE"
    await offer(ann)
    assert (await other.called("negotiate"))[1] == "1"


async def test_while_versions_are_mixed_rooms_go_to_the_newer_workers(two: Two, rooms: kit.Rooms) -> None:
    older, newer = two
    hello = media_pb2.WorkerHello(worker_id="worker-1", version=VERSION)
    newer.media.say(media_pb2.Event(hello=hello))
    room_id = await rooms.create(98)
    (watching,) = await rooms.enter(room_id, 98)
    newer.media.say(media_pb2.Event(speakers=media_pb2.SpeakersChanged(room_id=room_id)))
    await watching.until("speakers")  # so the hello has been heard
    for _ in range(3):
        await speaking(rooms)
    assert (older.voices, newer.voices) == (0, 3)


async def test_an_older_generation_is_refused_and_the_row_read_again(two: Two, rooms: kit.Rooms) -> None:
    room_id, ann = await speaking(rooms)
    address, generation = await row(rooms, room_id)
    old, new = of(address, two)
    # Another replica has moved it, and the old worker is told before this one hears of it.
    await rooms.execute(
        "UPDATE rooms.placements SET worker = $2, generation = $3 WHERE room_id = $1",
        UUID(room_id),
        new.address,
        generation + 1,
    )
    old.media.placements.take(room_id, generation + 1)
    (bob,) = await rooms.enter(room_id, 2)
    await offer(bob)
    assert (await new.called("negotiate"))[1] == "2"
    assert (await ann.payload("voice_lost"))["reason"] == "worker_lost"
    assert await old.called("end_room") == ("end_room", room_id, generation + 1)


async def test_who_hears_of_a_newer_generation_goes_there(two: Two, rooms: kit.Rooms) -> None:
    room_id, ann = await speaking(rooms)
    address, generation = await row(rooms, room_id)
    old, new = of(address, two)
    # Another replica has lost the old worker, and placed the room on the new one.
    await rooms.execute(
        "UPDATE rooms.placements SET worker = $2, generation = $3 WHERE room_id = $1",
        UUID(room_id),
        new.address,
        generation + 1,
    )
    held = media_pb2.RoomHeld(room_id=room_id, generation=generation + 1)
    new.media.say(media_pb2.Event(room_held=held))
    assert (await ann.payload("voice_lost"))["reason"] == "worker_lost"
    assert await old.called("end_room") == ("end_room", room_id, generation + 1)
    await offer(ann)
    assert (await new.called("negotiate"))[1] == "1"
    # The old one comes back to somebody who had lost it, and still has voices of the room.
    held = media_pb2.RoomHeld(room_id=room_id, generation=generation)
    old.media.say(media_pb2.Event(room_held=held))
    assert await old.called("end_room") == ("end_room", room_id, generation + 1)


async def test_a_draining_worker_takes_no_offers(two: Two, rooms: kit.Rooms) -> None:
    room_id, ann = await speaking(rooms)
    old, new = of((await row(rooms, room_id))[0], two)
    old.media.say(media_pb2.Event(draining=media_pb2.WorkerDraining()))
    lost = media_pb2.VoiceLost(room_id=room_id, user_id="1", voice_id="voice-0", reason="worker_lost")
    old.media.say(media_pb2.Event(voice_lost=lost))
    assert (await ann.payload("voice_lost"))["reason"] == "worker_lost"
    await offer(ann)
    assert (await new.called("negotiate"))[1] == "1"


@pytest.mark.parametrize("code", ["WORKER_FULL", "WORKER_DRAINING"])
async def test_a_worker_that_refuses_a_room_is_passed_by(two: Two, rooms: kit.Rooms, code: str) -> None:
    refusing, willing = two
    refusing.media.refusal = Unavailable("No more.", code=code)
    for _ in range(2):  # one of them would have been its
        await speaking(rooms)
    assert (refusing.voices, willing.voices) == (0, 2)


async def test_a_restored_backups_table_gives_newer_generations(
    stack: kit.Stack, two: Two, rooms: kit.Rooms
) -> None:
    room_id, _ = await speaking(rooms)
    _, generation = await row(rooms, room_id)
    await rooms.execute("UPDATE rooms.placements SET generation = 1")
    later = await replica(stack, two)
    (bob,) = await later.enter(room_id, 2)
    await offer(bob)
    assert (await row(rooms, room_id))[1] >= generation


async def test_where_nobody_knows_the_worker_a_mute_goes_to_all(two: Two, rooms: kit.Rooms) -> None:
    (ann,) = await rooms.enter(await rooms.create(), 1)
    await ann.send("mute", {"muted": True})
    for worker in two:
        assert await worker.called("set_muted") == ("set_muted", "1", True)


async def test_without_the_database_placed_rooms_go_on(database_url: str) -> None:
    async with proxied(database_url) as line, kit.neighbours(line.url) as stack:
        two = Worker(*await stack.worker()), Worker(*await stack.worker())
        rooms = await replica(stack, two)
        _, ann = await speaking(rooms)
        (bob,) = await rooms.enter(await rooms.create(), 2)
        await line.cut()
        await offer(ann)
        await bob.send("offer", {"sdp": "v=0"})
        problem = await bob.payload("error")
        assert (problem["code"], problem["retryable"]) == ("DATABASE_UNAVAILABLE", True)
        await line.restore()
        await offer(bob)


def test_workers_on_ports_in_a_row_are_named_by_the_first_and_the_last() -> None:
    def found(raw: str) -> tuple[str, ...]:
        return load(Config, {"DATABASE_URL": "postgresql://x/y", "MEDIA_ADDR": raw}).media_addr

    assert found("media:50053-50055,[::1]:6000-6001,media:50054") == (
        "media:50053",
        "media:50054",
        "media:50055",
        "[::1]:6000",
        "[::1]:6001",
    )
    for wrong in ("media:50053-", "media:50055-50053", "media:1-60000", "media:a-b", "50053-50054"):
        with pytest.raises(ConfigError, match="MEDIA_ADDR must"):
            found(wrong)
