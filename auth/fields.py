"""What an account's fields may be. Pure; each check returns the value to keep, or raises `Wrong`."""

from __future__ import annotations

import re
import unicodedata

from common import text

EMAIL_MAX = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
LOCAL_PART_MAX = 64
DISPLAY_NAME_MAX = 64
PASSWORD_MIN_CHARACTERS = 8
PASSWORD_MAX_BYTES = 1024

# A dot-atom (RFC 5322 section 3.2.3), with any letters beyond ASCII (RFC 6531). Quoted local parts and
# address literals exist on paper; in a form they are typing mistakes.
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
LABEL = r"[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\u0080-\U0010ffff-]{0,61}[A-Za-z0-9\u0080-\U0010ffff])?"
EMAIL = re.compile(rf"{ATOM}(?:\.{ATOM})*@{LABEL}(?:\.{LABEL})+")


class Wrong(Exception):
    """What is wrong with a field, for the person who filled it in."""


def email(raw: str) -> str:
    """An address as it will be kept and shown: trimmed, otherwise as given."""
    address = raw.strip()
    if not address:
        raise Wrong("is needed")
    if len(address.encode()) > EMAIL_MAX:
        raise Wrong(f"must be at most {EMAIL_MAX} bytes long")
    visible = not any(text.is_control(character) or character.isspace() for character in address)
    if (
        not visible
        or not EMAIL.fullmatch(address)
        or len(address.partition("@")[0].encode()) > LOCAL_PART_MAX
    ):
        raise Wrong("is not an e-mail address")
    return address


def email_key(address: str) -> str:
    """What two spellings of one address share: nobody can register the same one twice."""
    # An address that is looked up may be anything; PostgreSQL's text has no zero bytes, ours has no blanks.
    return unicodedata.normalize("NFKC", address.strip()).lower().replace("\0", " ")


def display_name(raw: str) -> str:
    """A name as it will be shown: trimmed and composed (NFC), 1 to 64 characters."""
    try:
        return text.line(raw, longest=DISPLAY_NAME_MAX)
    except ValueError as error:
        raise Wrong(str(error)) from None


def new_password(raw: str) -> str:
    """A password that may be set: at least 8 characters of any kind, at most 1,024 bytes."""
    if len(raw.encode()) > PASSWORD_MAX_BYTES:
        raise Wrong(f"must be at most {PASSWORD_MAX_BYTES} bytes long")
    if len(unicodedata.normalize("NFC", raw)) < PASSWORD_MIN_CHARACTERS:
        raise Wrong(f"must be at least {PASSWORD_MIN_CHARACTERS} characters long")
    return raw
