"""Passwords that a guesser tries first are refused with a sentence; others are nobody's business."""

import pytest

from auth.guessable import problem


def said(password: str) -> str | None:
    return problem(password, email="ann.petrova@physics.example.org", display_name="Анна Петрова")


@pytest.mark.parametrize(
    "password",
    ["password", "PASSWORD", "Password1!", "qwertyuiop", "12345678", "123456789", "iloveyou", "trustno1",
     "йцукенгш", "Пароль12", "ｐａｓｓｗｏｒｄ", "!letmein2024"],
)  # fmt: skip
def test_common_ones_are_refused(password: str) -> None:
    assert said(password) == "is one of the passwords that everybody tries first; choose another one"


@pytest.mark.parametrize(
    "password",
    ["ann.petrova", "Petrova2024", "annpetrova1", "анна петрова", "ПЕТРОВА-1", "cwrkplanet", "CWRKplanet1!",
     "ann.petrova@physics.example.org", "physics-ann"],
)  # fmt: skip
def test_the_accounts_own_words_are_refused(password: str) -> None:
    assert said(password) == (
        "is made of your e-mail, your name or the name of this site; choose another one"
    )


@pytest.mark.parametrize("password", ["aaaaaaaaaaaa", "ababababab", "ёёёёёёёё", "🔑" * 8, "xyzxyzxyzxyz"])
def test_a_few_characters_over_and_over_are_refused(password: str) -> None:
    assert said(password) == "is a few characters over and over; choose another one"


@pytest.mark.parametrize(
    "password",
    ["correct horse", "ann likes tea in june", "Петрова читает по ночам", "k7$Vw2!qLp", "зелёный трамвай",
     "x7" + "y" * 1022],
)  # fmt: skip
def test_others_are_not(password: str) -> None:
    assert said(password) is None


def test_a_long_one_is_looked_at_in_a_moment() -> None:
    """1,024 bytes of what a slow pattern would choke on; the test's own deadline is the judge."""
    for _ in range(200):
        assert problem("ab" * 511 + "c", email="a@b.c", display_name="b" * 64) is None
