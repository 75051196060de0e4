"""Passwords that a guesser tries first: common ones, and those made of the account's own words. Pure.

The list is zxcvbn's (30,000 passwords out of leaks, by how often they occur). Its
estimator is not used: it takes 1 to 100 ms on the event loop, and knows neither
Russian words nor Russian keyboards. Here a password typed in Russian is looked up
as the keys that were pressed, since leaks are full of those: пароль is gfhjkm.
"""

from __future__ import annotations

import re
import unicodedata

from zxcvbn.frequency_lists import FREQUENCY_LISTS

COMMON = frozenset(FREQUENCY_LISTS["passwords"])
PRODUCT = ("cwrkplanet", "cwrk", "planet")

# What people put around a word to please a form: password1, !password2024.
MOST_DECORATION = 5
SHORTEST_OWN_WORD = 3
# So much must be left of a password without the account's own words.
LEAST_BESIDE_OWN_WORDS = 5

KEYS = str.maketrans(
    "йцукенгшщзхъфывапролджэячсмитьбюё",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.`",
)
REPETITION = re.compile(r"(.{1,4}?)\1+", re.DOTALL)
EDGES = re.compile(r"^[\W\d_]*(.*?)[\W\d_]*$", re.DOTALL)
BETWEEN_WORDS = re.compile(r"[\W_]+")


def problem(password: str, *, email: str, display_name: str) -> str | None:
    """Why a guesser would find it soon, for the person who chose it; None if they would not."""
    typed = unicodedata.normalize("NFKC", password).casefold()
    if REPETITION.fullmatch(typed):
        return "is a few characters over and over; choose another one"
    words = _own_words(email, display_name)
    left = typed
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    if left != typed and len(left) < LEAST_BESIDE_OWN_WORDS:
        return "is made of your e-mail, your name or the name of this site; choose another one"
    core = _core(typed)
    if {typed, typed.translate(KEYS), core, core.translate(KEYS)} & COMMON:
        return "is one of the passwords that everybody tries first; choose another one"
    return None


def _core(typed: str) -> str:
    """The word inside a password, without the digits and signs around it if these are few."""
    match = EDGES.match(typed)
    core = match[1] if match else ""
    return core if len(typed) - len(core) <= MOST_DECORATION else typed


def _own_words(email: str, display_name: str) -> set[str]:
    email, display_name = (unicodedata.normalize("NFKC", text).casefold() for text in (email, display_name))
    local, _, domain = email.partition("@")
    words = {email, local, domain, display_name, *PRODUCT}
    for text in (local, domain, display_name):
        words.update(BETWEEN_WORDS.split(text))
    return {word for word in words if len(word) >= SHORTEST_OWN_WORD}
