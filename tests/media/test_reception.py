"""How a voice arrives: sequence numbers past their wraps, and what a receiver report says."""

import pytest

from media.reception import MAX_DROPOUT, Reception


@pytest.mark.parametrize("start", [0, 1, 0x7FFF, 0x8000, 0xFFF0, 0xFFFF])
def test_sequence_numbers_go_on_after_the_wrap(start: int) -> None:
    reception = Reception(1, start, 48_000)
    indexes = [reception.extend((start + i) & 0xFFFF)[0] for i in range(150_000)]
    assert indexes == list(range(indexes[0], indexes[0] + 150_000))


@pytest.mark.parametrize("start", [0, 3, 0x8000, 0xFFFF])
def test_late_packets_keep_their_place(start: int) -> None:
    reception = Reception(1, start, 48_000)
    order = [0, 1, 5, 3, 2, 4, -1]
    base = reception.highest
    assert [reception.extend((start + i) & 0xFFFF)[0] - base for i in order] == order


def test_a_leap_is_a_restart_and_not_a_loss() -> None:
    reception = Reception(1, 10, 48_000)
    assert reception.extend(10)[1] is False
    assert reception.extend(10 + MAX_DROPOUT)[1] is False
    assert reception.extend(11 + 2 * MAX_DROPOUT) == (0x10000 + 11 + 2 * MAX_DROPOUT, True)
    assert reception.report(0.0).cumulative_lost == MAX_DROPOUT - 1


def test_the_report_tells_the_loss_since_the_last_one_and_in_all() -> None:
    reception = Reception(7, 0, 48_000)
    for sequence in range(100):
        if sequence % 4:
            reception.extend(sequence)
    report = reception.report(0.0)
    assert (report.ssrc, report.fraction_lost, report.cumulative_lost) == (7, 64, 25)
    for sequence in range(100, 200):
        reception.extend(sequence)
    report = reception.report(0.0)
    assert (report.fraction_lost, report.cumulative_lost, report.highest) == (0, 25, 0x10000 + 199)


def test_a_steady_stream_has_no_jitter_and_an_uneven_one_has() -> None:
    steady, uneven = Reception(1, 0, 48_000), Reception(1, 0, 48_000)
    for i in range(200):
        steady.arrived(i * 960, 100 + i * 0.02)
        uneven.arrived(i * 960, 100 + i * 0.02 + (0.01 if i % 2 else 0))
    assert steady.report(0.0).jitter <= 1
    assert uneven.report(0.0).jitter == pytest.approx(480, rel=0.05)


def test_the_delay_since_the_last_sender_report() -> None:
    reception = Reception(1, 0, 48_000)
    assert (reception.report(9.0).last_report, reception.report(9.0).delay) == (0, 0)
    reception.sender_report(0xABCD1234, 10.0)
    report = reception.report(12.5)
    assert (report.last_report, report.delay) == (0xABCD1234, int(2.5 * 65536))
