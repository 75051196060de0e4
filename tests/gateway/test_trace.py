"""W3C Trace Context: accepted, made where there is none, passed on and returned."""

import pytest

from common.trace import SHAPE
from tests.gateway.running import Api, RecordedRooms

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENT = f"00-{TRACE}-00f067aa0ba902b7-01"
ROOM = "/rooms/0190c0de-0000-7000-8000-000000000001"


async def test_a_trace_that_was_sent_goes_on_through_the_services_and_back(
    api: Api, rooms: RecordedRooms
) -> None:
    await api.register()
    answer = await api.call("GET", ROOM, headers={"traceparent": SENT})
    version, trace, hop, flags = answer.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert hop != "00f067aa0ba902b7"
    # What rooms were told is what the caller was: this hop is the parent of theirs.
    assert rooms.traces[-1] == answer.headers["traceparent"]


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"{SENT}-more",
        f"00-{TRACE}",
    ],
)
async def test_what_is_none_gives_a_new_one(api: Api, sent: str) -> None:
    first, second = [
        (await api.call("GET", "/healthz", headers={"traceparent": sent})).headers["traceparent"]
        for _ in range(2)
    ]
    assert SHAPE.fullmatch(first)
    assert SHAPE.fullmatch(second)
    assert len({TRACE, first.split("-")[1], second.split("-")[1]}) == 3


async def test_a_later_version_is_read_as_far_as_it_is_ours(api: Api) -> None:
    sent = f"01-{TRACE}-00f067aa0ba902b7-03-later"
    answer = await api.call("GET", "/healthz", headers={"traceparent": sent})
    assert answer.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert answer.headers["traceparent"].endswith("-01")
