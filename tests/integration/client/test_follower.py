"""Each event of the log once, in order, whatever comes when."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from client.follower import Follower
from client.models import Position


def at(seq: int) -> Follower:
    follower = Follower()
    follower.start(Position("epoch", seq))
    return follower


def test_it_begins_where_the_first_hello_stands() -> None:
    follower = Follower()
    assert not follower.epoch
    assert not follower.greeted("epoch", 7)
    assert follower.position == Position("epoch", 7)
    assert not follower.hears(7, room=True)
    assert follower.hears(8, room=True)


def test_a_replay_that_is_whole_keeps_it_live() -> None:
    follower = at(7)
    assert not follower.greeted("epoch", 9)
    assert follower.hears(8, room=True)
    assert follower.hears(9, room=True)
    follower.replayed()
    assert follower.live


def test_a_replay_that_is_too_far_leaves_it_behind_until_it_has_read() -> None:
    follower = at(7)
    follower.greeted("epoch", 5000)
    follower.replayed()
    assert not follower.live
    assert not follower.hears(5001, room=True)
    follower.read(5000)
    assert not follower.caught_up()
    follower.read(5001)
    assert follower.caught_up()
    assert follower.hears(5002, room=True)


def test_without_room_it_is_behind() -> None:
    follower = at(7)
    assert not follower.hears(8, room=False)
    assert not follower.hears(9, room=True)
    assert follower.position == Position("epoch", 7)


def test_another_history_begins_where_it_stands() -> None:
    follower = at(7)
    assert follower.greeted("another", 3)
    assert follower.position == Position("another", 3)
    assert follower.live


@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_no_event_is_missing_and_none_comes_twice(rng: random.Random, length: int) -> None:
    """Connections are lost, replays overlap, the inbox is full now and then; pages are read in between."""
    follower, taken, said = at(0), [], 0
    while said < length or follower.seq < length:
        match rng.randrange(4):
            case 0 if said < length:
                said += 1
                if follower.hears(said, room=rng.random() < 0.8):
                    taken.append(said)
            case 1:  # the connection was lost; what was said meanwhile is replayed, or not
                said = min(length, said + rng.randrange(3))
                follower.greeted("epoch", said)
                if rng.random() < 0.5:
                    replay = range(follower.seq + 1, said + 1)
                    taken += [seq for seq in replay if follower.hears(seq, room=rng.random() < 0.8)]
                follower.replayed()
            case _ if not follower.live:
                for seq in range(follower.seq + 1, min(said, follower.seq + rng.randint(1, 5)) + 1):
                    follower.read(seq)
                    taken.append(seq)
                follower.caught_up()
            case _ if said == length:  # a lost event nobody spoke after is heard of by the next hello
                follower.greeted("epoch", said)
                follower.replayed()
    assert taken == list(range(1, length + 1))
