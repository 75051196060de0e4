"""A short run of bench/noise: bent datagrams of every kind, many of them authentic."""

from bench.noise.__main__ import run
from media.packet_loop import Drop, MakeLoop


async def test_nothing_is_uncaught_memory_stays_and_the_others_go_on_talking(
    packet_loop: MakeLoop,
) -> None:
    report = await run(20_000, seed=1, packet_loop=packet_loop)
    assert report.uncaught == []
    assert (report.heard, report.said) == (50, 50)
    assert report.memory[-1] - report.memory[0] < 24  # MiB; what it keeps a datagram would be far more
    reached = {name for name, count in report.drops.items() if count}
    assert reached >= {
        each.name
        for each in (Drop.STRANGER, Drop.UNREADABLE, Drop.UNAUTHENTIC, Drop.MALFORMED, Drop.UNEXPECTED)
    }
