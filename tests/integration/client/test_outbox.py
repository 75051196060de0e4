"""What is said goes out in order, at the server's pace, and again until it is acked."""

from __future__ import annotations

import asyncio

from client.backoff import FINAL, LONGEST_S, SETTLED_S, Backoff
from client.outbox import RESEND_S, Outbox, Saying


async def outbox_with(*names: str) -> Outbox:
    outbox = Outbox()
    for name in names:
        future = asyncio.get_running_loop().create_future()
        outbox.waiting[name] = Saying(name, "chat", {"message": name}, future)
    return outbox


def sent(outbox: Outbox, now: float) -> list[str]:
    """All that goes out at `now`."""
    found = []
    while isinstance(due := outbox.next(now), Saying):
        found.append(due.client_msg_id)
    return found


async def test_a_burst_goes_out_at_once_and_the_rest_by_and_by() -> None:
    outbox = await outbox_with(*"abcd")
    outbox.connected(per_second=5, burst=2, now=100)
    assert sent(outbox, 100) == ["a", "b"]
    assert outbox.next(100) == 0.2
    assert sent(outbox, 100.2) == ["c"]
    assert sent(outbox, 100.4) == ["d"]


async def test_over_another_connection_all_are_said_again_in_the_same_order() -> None:
    outbox = await outbox_with(*"abc")
    outbox.connected(5, 10, 100)
    assert sent(outbox, 100) == ["a", "b", "c"]
    del outbox.waiting["b"]  # acked
    outbox.connected(5, 10, 101)
    assert sent(outbox, 101) == ["a", "c"]


async def test_without_an_answer_it_is_said_again() -> None:
    outbox = await outbox_with("a")
    outbox.connected(5, 10, 100)
    assert sent(outbox, 100) == ["a"]
    assert outbox.next(100) == RESEND_S
    assert sent(outbox, 100 + RESEND_S) == ["a"]


async def test_what_the_server_asks_to_wait_for_waits_over_a_new_connection_too() -> None:
    outbox = await outbox_with("slow", "quick")
    outbox.waiting["slow"].not_before = 160
    outbox.connected(5, 10, 100)
    assert sent(outbox, 100) == ["quick"]
    outbox.connected(5, 10, 159)
    assert sent(outbox, 159) == ["quick"]
    assert sent(outbox, 160) == ["slow"]


def test_the_waits_grow_have_a_ceiling_and_begin_anew_when_it_was_well() -> None:
    backoff = Backoff()
    waits = [backoff.wait() for _ in range(30)]
    assert all(0.25 <= wait <= LONGEST_S for wait in waits)
    assert waits[0] <= 0.5 < LONGEST_S / 2 <= waits[-1]
    assert backoff.wait(lived=SETTLED_S) <= 0.5
    assert backoff.wait(4200, lived=SETTLED_S) == 0
    assert backoff.wait(4200, lived=0) > 0  # a server that closes at once is not asked without a pause


def test_what_is_final_is_what_the_protocol_says() -> None:
    assert {4000, 4001, 4003, 4004} <= FINAL
    assert FINAL & {4100, 4101, 4102, 4103, 4200, 4201, 4202} == set()
