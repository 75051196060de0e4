"""An older backup is restored: nobody takes new events for old ones, nor believes in what is no more."""

import asyncio

import pytest

from tests.chaos.checker import check
from tests.chaos.run import Run, Settings, running

SETTINGS = Settings(seed=4, clients=8, rooms=2, sends=0, times=0, at_once=0, hold=(0, 0))
SENDS = 300


async def restart_replicas(run: Run) -> None:
    for replica in run.cluster.replicas:
        await run.cluster.do(replica.kill)
        await run.cluster.do(replica.start)
    await run.cluster.ready()


@pytest.mark.timeout(600)  # a machine may be slow
async def test_a_restored_backup_is_another_history() -> None:
    async with running(SETTINGS) as run:
        await run.talk(SENDS)
        await run.cluster.back_up()
        at_backup = {room_id: list(log) for room_id, log in run.logs.items()}
        await run.talk(SENDS)
        before, lost = await run.cluster.epoch(), {room_id: list(log) for room_id, log in run.logs.items()}

        away = run.clients[::2]
        for client in away:
            client.go_away()
        while any(client.connected for client in away):  # noqa: ASYNC110  # each by itself
            await asyncio.sleep(0.02)
        await run.cluster.restore()
        await restart_replicas(run)
        run.logs.update({room_id: list(log) for room_id, log in at_backup.items()})
        run.talk_on(3 * SENDS)  # so that the new history is longer than the one that those who are away know
        while run.budget.left > 0:  # noqa: ASYNC110  # a number that goes down
            await asyncio.sleep(0.02)
        for client in away:
            client.come_back()
        await run.talk(SENDS)
        await run.judge()

        after = await run.cluster.epoch()
        assert after != before
        assert run.counts["not recovered"] >= len(run.clients)
        for room_id, log in run.logs.items():
            inside = run.inside(room_id)
            assert log[: len(at_backup[room_id])] == at_backup[room_id]
            assert not set(log[len(at_backup[room_id]) :]) & set(lost[room_id])
            # What was told and promised before the restore was true then.
            assert check(before, lost[room_id], len(lost[room_id]), inside, settled=False) == []
