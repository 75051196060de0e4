"""Lines that people read in a list: a person's name, a room's name, a topic."""

from __future__ import annotations

import unicodedata

# Letters that would let a line reorder the text around it (UAX 9).
REORDERING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# What shows nothing by itself: formats (joiners), spaces, marks that want a letter under them …
UNSEEN = frozenset({"Cf", "Zs", "Mn", "Mc", "Me"})
# … and the letters and symbols that Unicode draws as nothing: Hangul's fillers, Braille's empty cell.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def line(raw: str, *, longest: int, needed: bool = True) -> str:
    """The line as it will be kept and shown: trimmed and composed (NFC), at most `longest` code points.

    Raises ValueError, in words that follow the field's name.
    """
    text = unicodedata.normalize("NFC", raw.strip())
    if not text:
        if needed:
            raise ValueError("is needed")
        return text
    if len(text) > longest:
        raise ValueError(f"must be at most {longest} characters long")
    if any(is_control(character) or character in REORDERING for character in text):
        raise ValueError("must not have control characters")
    # Joiners belong to emoji and to several scripts; alone they are a line that nobody sees.
    if all(character in BLANK or unicodedata.category(character) in UNSEEN for character in text):
        raise ValueError("must have a visible character")
    return text


def is_control(character: str) -> bool:
    """Controls, unpaired surrogates, line and paragraph separators.

    Not what is unassigned: that is next year's emoji, which this Python's Unicode does not know yet.
    """
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
