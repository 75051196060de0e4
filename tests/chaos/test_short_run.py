"""The promise under every kind of fault, in short. `make chaos-log` is the long run, another each time."""

import pytest

from tests.chaos.client import FRAMES
from tests.chaos.nemesis import FAULTS
from tests.chaos.run import Settings, running

SETTINGS = Settings(seed=4, clients=12, rooms=3, sends=1500, times=1, at_once=4, hold=(0.3, 1.0))


@pytest.mark.timeout(900)  # a machine may be slow
async def test_nothing_is_lost_doubled_or_swapped_whatever_fails() -> None:
    async with running(SETTINGS) as run:
        await run.through()
    assert {f"fault: {name}" for name in FAULTS} | {f"sends: {kind}" for kind in FRAMES} <= set(run.counts)
    assert run.counts["acks"] >= SETTINGS.sends - run.counts["abandoned"]
