"""Feed: whatever order events arrive in, they leave in the order of the log, once each."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rooms.core.effects import Broadcast, Disconnect, Draft, Effect, ReadLog, Replay, Saved, Send
from rooms.core.events import Event, Said
from rooms.core.feed import MOST_WAITING, REPLAY_PAGE, Feed
from rooms.frames.incoming import Chat, Resume
from rooms.frames.outgoing import Ack, ChatSaid, Error, Resumed


def said(seq: int) -> Event:
    at = datetime.fromtimestamp(seq, UTC)
    return Event(seq, UUID(int=seq), 1, "Ann", at, Said(f"message {seq}"))


def feed_at(seq: int, *conn_ids: str) -> Feed:
    feed = Feed("R", "e", seq)
    for conn_id in conn_ids:
        feed.connect(conn_id)
    return feed


def seqs(effects: list[Effect]) -> list[int | None]:
    return [e.seq for e in effects if isinstance(e, (Broadcast, Send)) and isinstance(e.message, ChatSaid)]


def test_a_gap_is_read_from_the_log_and_what_was_ahead_waits() -> None:
    feed = feed_at(10, "c1")
    assert feed.events([said(13)]) == [ReadLog(10)]
    assert feed.events([said(14)]) == []  # already reading
    assert seqs(feed.log_read([said(11), said(12)])) == [11, 12, 13, 14]


def test_a_notice_makes_it_read_and_a_late_one_does_not() -> None:
    feed = feed_at(10, "c1")
    assert feed.head(12) == [ReadLog(10)]
    assert feed.head(12) == []
    feed.log_read([said(11), said(12)])
    assert feed.head(12) == []


def test_a_log_that_could_not_be_read_is_read_at_the_next_notice() -> None:
    feed = feed_at(10, "c1")
    feed.head(12)
    assert feed.log_read([]) == []
    assert feed.head(12) == [ReadLog(10)]


def test_a_log_longer_than_a_page_is_read_to_its_end() -> None:
    feed = feed_at(10, "c1")
    feed.head(14)
    *_, more = feed.log_read([said(11), said(12)])
    assert more == ReadLog(12)


def test_an_ack_does_not_wait_for_a_gap() -> None:
    feed = feed_at(10, "c1")
    effects = feed.saved([Saved(Draft("c1", None, 1, Chat("message 12")), Ack(12), said(12))])
    assert [type(effect) for effect in effects] == [ReadLog, Send]


@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 12)))
def test_any_order_and_any_repeats_come_out_as_the_log(order: list[int], repeats: list[int]) -> None:
    feed = feed_at(0, "c1")
    out: list[int | None] = []
    for seq in order + repeats:
        out += seqs(feed.events([said(seq)]))
    assert out == list(range(1, 13))


def test_resuming_replays_pages_then_says_so_then_goes_on_live() -> None:
    feed = feed_at(REPLAY_PAGE + 10, "c1")
    first = feed.resume("c1", "5", Resume("e", 5))
    assert first == [Replay("c1", "5", from_seq=5, after=5, upto=REPLAY_PAGE + 10)]
    assert feed.events([said(REPLAY_PAGE + 11)]) == []  # live, and waits

    *frames, more = feed.replayed(first[0], map(said, range(6, 56)))  # type: ignore[arg-type]  # compared above
    assert seqs(frames) == list(range(6, 56))
    assert more == Replay("c1", "5", from_seq=5, after=55, upto=REPLAY_PAGE + 10)

    last = feed.replayed(more, map(said, range(56, REPLAY_PAGE + 11)))
    assert seqs(last) == list(range(56, REPLAY_PAGE + 12))
    assert Send("c1", Resumed(True, 5, REPLAY_PAGE + 10), "5") in last


def test_nothing_missed_is_recovered_at_once() -> None:
    assert feed_at(10, "c1").resume("c1", None, Resume("e", 10)) == [Send("c1", Resumed(True, 10, 10))]


def test_another_epoch_and_a_seq_that_never_was_are_not_recovered() -> None:
    for resume in (Resume("older", 5), Resume("e", 11), Resume("e", 0)):
        feed = feed_at(10 if resume.last_seq else 10_000, "c1")
        (answer,) = feed.resume("c1", None, resume)
        assert isinstance(answer, Send)
        assert isinstance(answer.message, Resumed)
        assert answer.message.recovered is False


def test_a_log_that_cannot_be_read_is_not_recovered_and_live_goes_on() -> None:
    feed = feed_at(10, "c1")
    (replay,) = feed.resume("c1", None, Resume("e", 5))
    assert isinstance(replay, Replay)
    feed.events([said(11)])
    effects = feed.replayed(replay, None)
    assert effects[0] == Send("c1", Resumed(False, 5, 10))
    assert seqs(effects) == [11]


def test_one_replay_at_a_time() -> None:
    feed = feed_at(10, "c1")
    feed.resume("c1", None, Resume("e", 5))
    (refusal,) = feed.resume("c1", "2", Resume("e", 5))
    assert isinstance(refusal, Send)
    assert isinstance(refusal.message, Error)
    assert refusal.message.code == "RESUME_PENDING"


def test_who_takes_a_replay_too_slowly_is_closed() -> None:
    feed = feed_at(10, "c1", "c2")
    feed.resume("c1", None, Resume("e", 5))
    effects = feed.events(map(said, range(11, 11 + MOST_WAITING + 1)))
    assert effects[-1] == Disconnect("c1", 4101, "SLOW_READER")
    assert len(seqs(effects)) == MOST_WAITING + 1  # c2 has them all
