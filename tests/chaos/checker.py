"""Whether the promise was kept: pure functions over a room's log in the tables and its clients' histories.

The promise: one order a room, `seq` without holes; what is acked is in the log, once,
where the ack said; every client is told exactly the log, in order, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from tests.chaos.history import Event, History, Send

Texts: TypeAlias = dict[str, set[str]]  # by message


class Kind(StrEnum):
    """How a promise can be broken."""

    LOST = "acked, and not in the log as acked"
    TWICE = "there more than once"
    ORDER = "out of order"
    GAP = "a hole"
    PHANTOM = "not what was said, or not said at all"
    BEHIND = "not the whole log"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise, and whose."""

    kind: Kind
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


def check(
    epoch: str, log: Sequence[Event], head: int, histories: Sequence[History], *, settled: bool
) -> list[Violation]:
    """All violations of one room in one epoch; `log` and `head` are the tables'.

    `settled`: nobody is away and nothing is on its way, so every client must have the whole log.
    """
    texts = texts_of(log, histories)
    found = [*log_is_whole(log, head), *log_was_said(log, histories, texts), *order_is_real(log, histories)]
    for history in histories:
        found += acks_hold(epoch, log, history)
        who = f"user {history.user_id}"
        for stretch in history.stretches:
            if stretch.epoch == epoch:
                found += told_the_log(
                    f"to {who} over one connection", stretch.from_seq, stretch.events, log, texts
                )
        if history.epoch == epoch:
            found += told_the_log(f"applied by {who}", 0, history.applied, log, texts)
            if settled and history.last_seq != head:
                found.append(Violation(Kind.BEHIND, f"{who} has {history.last_seq} of {head}"))
    return found


def log_is_whole(log: Sequence[Event], head: int) -> Iterator[Violation]:
    """From 1 to the head without holes."""
    for place, event in enumerate(log, 1):
        if event.seq != place:
            kind = Kind.GAP if event.seq > place else Kind.TWICE
            yield Violation(kind, f"the log has seq {event.seq} in place {place}")
            return
    if head != len(log):
        yield Violation(Kind.GAP, f"the head says {head}, the log ends at {len(log)}")


def texts_of(log: Sequence[Event], histories: Sequence[History]) -> Texts:
    """What each message was ever said to be."""
    found: Texts = {}
    sends = {(history.user_id, send.client_msg_id): send for history, send in _sends(histories)}
    for event in log:
        send = sends.get((event.user_id, event.client_msg_id))
        if send is not None and send.kind == event.kind:
            found.setdefault(event.msg_id, set()).add(send.text)
        if event.kind == "chat_deleted":
            found.setdefault(event.msg_id, set()).add("")
    return found


def log_was_said(log: Sequence[Event], histories: Sequence[History], texts: Texts) -> Iterator[Violation]:
    """Each message of the log was sent, as it stands there, and is there once."""
    sends = {(history.user_id, send.client_msg_id): send for history, send in _sends(histories)}
    seen: dict[tuple[int, str], int] = {}
    for event in log:
        key = event.user_id, event.client_msg_id
        if key in seen:
            yield Violation(Kind.TWICE, f"{key} is {seen[key]} and {event.seq} of the log")
        seen[key] = event.seq
        send = sends.get(key)
        if send is None or not send.first_sent or send.kind != event.kind or not _plausible(event, texts):
            yield Violation(Kind.PHANTOM, f"nobody said {event}")


def acks_hold(epoch: str, log: Sequence[Event], history: History) -> Iterator[Violation]:
    """What was acked is in the log where the ack says; only one ack says that it was new."""
    new: set[str] = set()
    for ack in history.acks:
        if ack.epoch != epoch:
            continue
        there = log[ack.seq - 1] if 0 < ack.seq <= len(log) else None
        send = history.sends.get(ack.client_msg_id)
        about = send.frame.get("msg_id") if send else None
        if about is not None:  # where it was so already, the event that made it so
            kept = there is not None and there.msg_id == about
        else:
            told = ack.msg_id, history.user_id, ack.client_msg_id
            kept = there is not None and (there.msg_id, there.user_id, there.client_msg_id) == told
        if not kept:
            yield Violation(Kind.LOST, f"user {history.user_id} was told {ack}; the log has {there}")
        if not ack.duplicate:
            if ack.client_msg_id in new:
                yield Violation(Kind.TWICE, f"user {history.user_id} was told twice that it is new: {ack}")
            new.add(ack.client_msg_id)


def told_the_log(
    where: str, from_seq: int, events: Sequence[Event], log: Sequence[Event], texts: Texts
) -> list[Violation]:
    """Events after `from_seq`, as they came, are the log's: none left out, repeated, swapped or made up."""
    found: list[Violation] = []
    last, seen = from_seq, set[int]()
    for event in events:
        if event.seq in seen or event.seq <= from_seq:
            found.append(Violation(Kind.TWICE, f"{where}: seq {event.seq} again, after {last}"))
        elif event.seq < last:
            found.append(Violation(Kind.ORDER, f"{where}: seq {event.seq} after {last}"))
        elif event.seq > last + 1:
            found.append(Violation(Kind.GAP, f"{where}: seq {event.seq} after {last}"))
        if not 0 < event.seq <= len(log) or log[event.seq - 1] != event or not _plausible(event, texts):
            found.append(Violation(Kind.PHANTOM, f"{where}: {event} is not of the log"))
        seen.add(event.seq)
        last = max(last, event.seq)
    return found


def order_is_real(log: Sequence[Event], histories: Sequence[History]) -> Iterator[Violation]:
    """What was acked before something else was first sent stands before it, whoever the two were."""
    sends = {(history.user_id, send.client_msg_id): send for history, send in _sends(histories)}
    earliest_ack = float("inf")
    latest: Event | None = None
    for event in reversed(log):
        send = sends.get((event.user_id, event.client_msg_id))
        if send is None:
            continue  # a phantom, told as such
        if send.first_sent > earliest_ack:
            yield Violation(Kind.ORDER, f"{latest} was acked before {event} was sent, and stands after it")
        if send.acked and send.acked < earliest_ack:
            earliest_ack, latest = send.acked, event


def _plausible(event: Event, texts: Texts) -> bool:
    """Whether the message was ever said to be this."""
    return event.kind not in ("chat", "chat_edited") or event.text in texts.get(event.msg_id, ())


def _sends(histories: Iterable[History]) -> Iterator[tuple[History, Send]]:
    for history in histories:
        for send in history.sends.values():
            yield history, send
