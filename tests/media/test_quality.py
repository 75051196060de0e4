"""What a path's quality is told as: both directions, in the E-model's scale."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.quality import Quality, mos
from media.reception import ReportBlock

CLOCK = 48_000
SLOT = 7
#: A stream as it is reported first.
START = ReportBlock(SLOT, 0, 0, highest=70_000, jitter=0, last_report=0, delay=0)


def quality() -> Quality:
    return Quality(frozenset({SLOT, SLOT + 1}), CLOCK)


def after(packets: int, lost: int = 0, jitter_ms: int = 0, of: ReportBlock = START) -> ReportBlock:
    """The next report of a stream."""
    return replace(
        of,
        highest=(of.highest + packets) % (1 << 32),
        cumulative_lost=of.cumulative_lost + lost,
        jitter=jitter_ms * CLOCK // 1000,
    )


@pytest.mark.parametrize(
    ("round_trip_ms", "loss", "jitter_ms", "score"),
    [
        (0, 0.0, 0, 4.40),  # as good as it gets
        (50, 0.0, 5, 4.38),
        (50, 0.01, 5, 4.29),
        (50, 0.10, 5, 3.34),
        (50, 0.20, 5, 2.55),
        (600, 0.0, 5, 3.48),  # two satellites
        (600, 0.20, 40, 1.15),
        (5000, 1.0, 500, 1.00),
    ],
)
def test_the_score_of_a_path(round_trip_ms: int, loss: float, jitter_ms: int, score: float) -> None:
    assert mos(round_trip_ms / 1000, loss, jitter_ms / 1000) == pytest.approx(score, abs=0.005)


def test_a_worse_path_never_scores_better() -> None:
    """Over the whole range, beyond what a network can do too."""
    for values in ([x / 100 for x in range(101)], [x / 10 for x in range(101)]):
        for scores in (
            [mos(0.05, min(1.0, each), 0.005) for each in values],
            [mos(each, 0.0, 0.005) for each in values],
            [mos(0.05, 0.0, each) for each in values],
        ):
            assert scores == sorted(scores, reverse=True)
            assert 1.0 <= min(scores) <= max(scores) <= 4.5


def test_of_both_directions_the_worse_is_told() -> None:
    both = quality()
    both.heard(START)
    both.heard(after(250, lost=5, jitter_ms=30))
    both.told(START, 0.0)
    both.told(after(250, lost=50, jitter_ms=3), 0.0)
    score = both.score(5.0)
    assert score is not None
    assert (score.loss, score.jitter) == (0.2, 0.03)
    assert score.mos == pytest.approx(mos(0.0, 0.2, 0.003))


def test_loss_is_counted_over_all_slots_and_since_the_last_time() -> None:
    heard = quality()
    other = replace(START, ssrc=SLOT + 1)
    for block in (START, other, after(250, lost=25), after(50, of=other)):
        heard.told(block, 0.0)
    score = heard.score(5.0)
    assert score is not None
    assert score.loss == 25 / 300
    heard.told(after(250, of=after(250, lost=25)), 6.0)
    score = heard.score(10.0)
    assert score is not None
    assert score.loss == 0.0


def test_the_round_trip_is_what_the_answer_took_without_what_it_waited_there() -> None:
    far = quality()
    far.report_sent(0xABCD1234, 10.0)
    far.told(START, 10.1)
    far.told(replace(after(50), last_report=0xABCD1234, delay=2 * 65536), 12.08)
    score = far.score(15.0)
    assert score is not None
    assert score.round_trip == pytest.approx(0.08)
    assert score.mos == pytest.approx(mos(0.08, 0.0, 0.0))


@pytest.mark.parametrize(
    ("last_report", "delay"), [(0, 0), (0x1111, 0), (0xABCD1234, 3 * 65536), (0xABCD1234, 0xFFFFFFFF)]
)
def test_an_answer_to_no_report_of_ours_or_from_before_it_tells_no_round_trip(
    last_report: int, delay: int
) -> None:
    liar = quality()
    liar.report_sent(0xABCD1234, 10.0)
    liar.told(START, 10.0)
    liar.told(replace(after(50), last_report=last_report, delay=delay), 12.0)
    score = liar.score(15.0)
    assert score is not None
    assert score.round_trip is None


def test_what_is_not_known_is_not_told() -> None:
    nothing = quality()
    assert nothing.score(5.0) is None
    nothing.told(START, 6.0)  # the first report has nothing to be compared with
    nothing.told(replace(START, ssrc=99), 6.0)  # not a stream of ours
    nothing.told(replace(after(9), ssrc=99), 6.5)
    assert nothing.score(10.0) is None


def test_between_two_reports_the_last_one_holds_and_not_for_ever() -> None:
    quiet = quality()
    quiet.heard(START)
    quiet.heard(after(100, lost=10))
    first = quiet.score(5.0)
    assert first is not None
    assert first.loss == 0.1
    assert quiet.score(10.0) == quiet.score(20.0) == first
    assert quiet.score(20.1) is None


@pytest.mark.parametrize("packets", [0, 5000, -1, 1 << 31])
def test_a_stream_that_stood_still_leapt_or_began_anew_has_lost_nothing(packets: int) -> None:
    odd = quality()
    odd.told(START, 0.0)
    odd.told(after(packets, lost=40), 0.0)
    assert odd.score(5.0) is None


def test_numbers_wrap() -> None:
    old = quality()
    last = replace(START, highest=(1 << 32) - 10)
    old.heard(last)
    old.heard(after(100, lost=10, of=last))
    score = old.score(5.0)
    assert score is not None
    assert score.loss == 0.1


@pytest.mark.parametrize("lost", [-20, 0, 100, 1 << 23])
def test_loss_stays_between_nothing_and_everything(lost: int) -> None:
    repeated = quality()
    repeated.told(START, 0.0)
    repeated.told(after(50, lost=lost), 0.0)
    score = repeated.score(5.0)
    assert score is not None
    assert score.loss == (1.0 if lost > 0 else 0.0)
