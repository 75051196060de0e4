"""An older backup is restored: nobody takes new events for old ones, nor believes in what is no more."""

import asyncio
from collections.abc import Callable

import pytest

from tests.chaos.checker import check
from tests.chaos.run import Settings, running

SETTINGS = Settings(seed=4, clients=8, rooms=2, sends=0, times=0, at_once=0, hold=(0, 0))
SENDS = 300


@pytest.mark.timeout(600)  # a machine may be slow
async def test_a_restored_backup_is_another_history() -> None:
    """While some are away, and the others talk all the time."""
    async with running(SETTINGS) as run:
        for client in run.clients:
            client.acts = 0.0  # what is about a message that the backup lacks is refused, by right
        await run.talk(SENDS)
        await run.cluster.back_up()
        at_backup = {room_id: list(log) for room_id, log in run.logs.items()}
        await run.talk(SENDS)
        before = await run.cluster.epoch()
        away = run.clients[::2]
        for client in away:
            client.go_away()
        await until(lambda: not any(client.connected for client in away))

        # Afterwards the new history is longer than the one that those who are away know.
        run.talk_on(5 * SENDS)
        await until(lambda: run.budget.left < 4 * SENDS)
        async with run.cluster.without_database():
            lost = {room_id: (await run.cluster.log(room_id))[1] for room_id in run.logs}
            await run.cluster.restore()
        run.logs.update({room_id: list(log) for room_id, log in at_backup.items()})
        await until(lambda: run.budget.left <= 0)
        for client in away:
            client.come_back()
        await run.talk(SENDS)
        await run.judge()

        assert await run.cluster.epoch() != before
        assert run.counts["not recovered"] >= len(run.clients)
        for room_id, log in run.logs.items():
            kept = at_backup[room_id]
            assert log[: len(kept)] == kept
            assert not {event.msg_id for event in log[len(kept) :]} & {
                event.msg_id for event in lost[room_id]
            }
            # What was told and promised before the restore was true then.
            inside = run.inside(room_id)
            assert check(before, lost[room_id], len(lost[room_id]), inside, settled=False) == []


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that clients do, each by itself."""
    while not happened():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
