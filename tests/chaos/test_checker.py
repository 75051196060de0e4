"""The checker can fail: each way to break the promise, made up, is refused for what it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.chaos.checker import Kind, check
from tests.chaos.history import Ack, Event, History, Message, Send, Stretch, state

EPOCH = "e"


@dataclass
class Run:
    """A made-up run that kept the promise: two clients, four messages by turns, one send unknown for ever."""

    log: list[Event]
    head: int
    ann: History
    bob: History

    def kinds(self, *, settled: bool = True) -> set[Kind]:
        found = check(EPOCH, self.log, self.head, [self.ann, self.bob], settled=settled)
        return {violation.kind for violation in found}


@pytest.fixture
def run() -> Run:
    clients = [History(user_id, "room", EPOCH) for user_id in (1, 2)]
    log = []
    for seq in range(1, 5):
        speaker = clients[seq % 2]
        event = Event(seq, f"m{seq}", speaker.user_id, f"c{seq}", f"text {seq}")
        log.append(event)
        speaker.sends[f"c{seq}"] = Send(f"c{seq}", event.text, first_sent=10 * seq, acked=10 * seq + 5)
        speaker.acks.append(Ack(EPOCH, f"c{seq}", f"m{seq}", seq, duplicate=False))
        speaker.acks.append(Ack(EPOCH, f"c{seq}", f"m{seq}", seq, duplicate=True))
    clients[0].sends["?"] = Send("?", "perhaps", first_sent=99, abandoned=True)
    for client in clients:
        client.applied = list(log)
        client.stretches = [Stretch(EPOCH, 0, log[:1]), Stretch(EPOCH, 1, log[1:])]
    return Run(log, 4, *clients)


def test_a_kept_promise_is_believed(run: Run) -> None:
    assert run.kinds() == set()


def test_an_unknown_outcome_may_be_there_once(run: Run) -> None:
    perhaps = Event(5, "m5", 1, "?", "perhaps")
    for events in (run.log, run.ann.applied, run.bob.applied):
        events.append(perhaps)
    run.head = 5
    assert run.kinds() == set()
    run.log.append(replace(perhaps, seq=6, msg_id="m6"))
    run.head = 6
    assert run.kinds(settled=False) == {Kind.TWICE}


def lost_from_the_end(run: Run) -> None:
    run.log.pop()
    run.head = 3
    for client in (run.ann, run.bob):
        client.applied.pop()
        client.stretches[1].events.pop()


def lost_and_another_in_its_place(run: Run) -> None:
    other = run.log[3] = replace(run.log[3], client_msg_id="?", text="perhaps", user_id=1)
    for client in (run.ann, run.bob):
        client.applied[3] = client.stretches[1].events[2] = other


def acked_at_two_places(run: Run) -> None:
    run.bob.acks[-1] = replace(run.bob.acks[-1], seq=2)


def acked_as_new_twice(run: Run) -> None:
    run.ann.acks[1] = replace(run.ann.acks[1], duplicate=False)


def a_hole_in_the_log(run: Run) -> None:
    run.log[3] = replace(run.log[3], seq=5)
    run.head = 5


def a_head_past_the_end(run: Run) -> None:
    run.head = 5


def a_seq_given_twice(run: Run) -> None:
    run.log.insert(1, run.log[0])


def a_message_nobody_sent(run: Run) -> None:
    del run.ann.sends["c4"]


def a_message_in_other_words(run: Run) -> None:
    run.ann.sends["c4"].text = "something else"


def told_what_never_was_committed(run: Run) -> None:
    run.bob.stretches[1].events.append(Event(5, "m5", 1, "?", "perhaps"))


def told_one_twice(run: Run) -> None:
    run.bob.stretches[1].events.append(run.log[3])


def told_again_what_it_had(run: Run) -> None:
    run.bob.stretches[1].events.insert(0, run.log[0])


def told_in_another_order(run: Run) -> None:
    events = run.bob.stretches[1].events
    events[0], events[1] = events[1], events[0]


def told_with_one_left_out(run: Run) -> None:
    del run.bob.stretches[1].events[1]


def applied_one_twice(run: Run) -> None:
    run.bob.applied.insert(2, run.log[1])


def applied_with_one_left_out(run: Run) -> None:
    del run.bob.applied[1]


def applied_other_words(run: Run) -> None:
    run.bob.applied[1] = replace(run.log[1], text="something else")


def behind_at_the_end(run: Run) -> None:
    run.bob.applied.pop()


def said_later_and_stands_before(run: Run) -> None:
    run.ann.sends["c2"].first_sent = 50  # c3 was acked at 35, and stands after it


def edited(run: Run) -> None:
    """Bob (2) gives his c1 another text, and everybody hears of it."""
    frame = {"msg_id": "m1", "client_msg_id": "c5"}
    run.bob.sends["c5"] = Send("c5", "better", "chat_edited", frame, first_sent=60, acked=70)
    run.bob.acks.append(Ack(EPOCH, "c5", "", 5, duplicate=False))
    edit = Event(5, "m1", 2, "c5", "better", "chat_edited")
    run.log[0] = replace(run.log[0], text="better")  # the row of the message has the newest text
    run.log.append(edit)
    run.head = 5
    for client in (run.ann, run.bob):
        client.applied.append(edit)


def test_an_edit_is_an_event_of_its_own(run: Run) -> None:
    edited(run)
    assert run.kinds() == set()
    run.ann.applied[4] = replace(run.ann.applied[4], text="worse")
    assert run.kinds() == {Kind.PHANTOM}


def test_an_edit_upon_another_message_is_no_repeat_of_it(run: Run) -> None:
    edited(run)
    run.log[4] = replace(run.log[4], msg_id="m3")
    assert run.kinds() == {Kind.LOST, Kind.PHANTOM}


def test_what_a_client_shows() -> None:
    events = [
        Event(1, "m1", 1, "c1", "one"),
        Event(2, "m2", 1, "c2", "two"),
        Event(3, "m1", 2, "", "", "chat_reaction", "+!"),
        Event(4, "m1", 1, "", "", "chat_reaction", "+!"),
        Event(5, "m1", 2, "", "", "chat_reaction", "-!"),
        Event(6, "m1", 1, "", "first", "chat_edited"),
        Event(7, "m2", 1, "", "", "chat_deleted"),
        Event(8, "m2", 2, "", "", "chat_reaction", "+!"),
    ]
    assert state(events) == {
        "m1": Message("first", reactions=frozenset({("!", 1)})),
        "m2": Message("", deleted=True),
    }


@pytest.mark.parametrize(
    ("break_it", "kind"),
    [
        (lost_from_the_end, Kind.LOST),
        (lost_and_another_in_its_place, Kind.LOST),
        (acked_at_two_places, Kind.LOST),
        (acked_as_new_twice, Kind.TWICE),
        (a_hole_in_the_log, Kind.GAP),
        (a_head_past_the_end, Kind.GAP),
        (a_seq_given_twice, Kind.TWICE),
        (a_message_nobody_sent, Kind.PHANTOM),
        (a_message_in_other_words, Kind.PHANTOM),
        (told_what_never_was_committed, Kind.PHANTOM),
        (told_one_twice, Kind.TWICE),
        (told_again_what_it_had, Kind.TWICE),
        (told_in_another_order, Kind.ORDER),
        (told_with_one_left_out, Kind.GAP),
        (applied_one_twice, Kind.TWICE),
        (applied_with_one_left_out, Kind.GAP),
        (applied_other_words, Kind.PHANTOM),
        (behind_at_the_end, Kind.BEHIND),
        (said_later_and_stands_before, Kind.ORDER),
    ],
)
def test_a_broken_promise_is_seen(run: Run, break_it: Callable[[Run], None], kind: Kind) -> None:
    break_it(run)
    assert kind in run.kinds()


def test_another_epoch_is_judged_by_its_own_log(run: Run) -> None:
    """After a restore: what was told and acked before it is no violation of what is true now."""
    for client in (run.ann, run.bob):
        client.epoch, client.applied = "after", client.applied[:2]
    found = check("after", run.log[:2], 2, [run.ann, run.bob], settled=True)
    assert found == []
    run.bob.applied.append(run.log[2])  # believes an old event to be new
    found = check("after", run.log[:2], 2, [run.ann, run.bob], settled=True)
    assert {violation.kind for violation in found} == {Kind.PHANTOM, Kind.BEHIND}
