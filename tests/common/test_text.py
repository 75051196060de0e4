"""Lines that people read in a list: what is kept, and what nobody could read or tell apart."""

import pytest

from common.text import line


def test_a_line_is_trimmed_and_composed() -> None:
    assert line("  Рисуем и\u0306огу ", longest=20) == "Рисуем йогу"
    assert line(" ", longest=20, needed=False) == ""


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("  ", "is needed"),
        ("x" * 21, "at most 20 characters"),
        ("a\0b", "control characters"),
        ("a\nb", "control characters"),
        ("\ud800", "control characters"),
        ("\u202eabc", "control characters"),
        ("\u200b", "a visible character"),
        ("\u3164", "a visible character"),
        ("\u2800\u2800", "a visible character"),
    ],
)
def test_a_line_that_nobody_can_read_is_refused(raw: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        line(raw, longest=20)


@pytest.mark.parametrize("raw", ["👩‍👩‍👧", "नमस्ते", "می‌خواهم", "x" * 20])
def test_joiners_and_marks_belong_to_what_people_write(raw: str) -> None:
    assert line(raw, longest=20) == raw
