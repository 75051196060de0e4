"""Cursors: only our own come back, and only to their list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Malformed
from rooms.cursors import Cursors

CURSORS = Cursors(b"secret")


@given(st.text(), st.text())
def test_a_cursor_comes_back(scope: str, position: str) -> None:
    scope, position = (text.encode("utf-8", "ignore").decode() for text in (scope, position))
    assert CURSORS.open(scope, CURSORS.seal(scope, position)) == position


@given(st.text())
def test_what_we_did_not_seal_is_refused(cursor: str) -> None:
    refused("list", cursor)


@given(st.integers(0), st.characters())
def test_one_changed_character_is_noticed(place: int, character: str) -> None:
    cursor = CURSORS.seal("list", "position")
    place %= len(cursor)
    changed = cursor[:place] + character + cursor[place + 1 :]
    if changed != cursor:
        refused("list", changed)


def test_a_cursor_of_another_list_or_another_deployment_is_foreign() -> None:
    refused("other list", CURSORS.seal("list", "position"))
    refused("list", Cursors(b"their secret").seal("list", "position"))


def refused(scope: str, cursor: str) -> None:
    with pytest.raises(Malformed) as caught:
        CURSORS.open(scope, cursor)
    assert caught.value.code == "INVALID_CURSOR"
