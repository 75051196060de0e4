"""Decisions: what becomes of drafts, over what the tables say of them. Values in, values out."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from common.errors import CwrkError
from rooms.core.decisions import (
    MOST_EMOJIS,
    MOST_REACTIONS,
    Author,
    Decisions,
    Entry,
    Message,
    Tables,
    Written,
)
from rooms.core.effects import Draft
from rooms.core.events import Deleted, Edited, Reacted, Said
from rooms.frames.incoming import Act, Chat, ChatDelete, ChatEdit, ChatReaction

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANN, BOB, EVE = 1, 2, 3
ANNS, BOBS, GONE = UUID(int=101), UUID(int=102), UUID(int=103)  # messages
AUTHORS = {ANN: Author("owner"), BOB: Author("member")}
MESSAGES = {
    ANNS: Message(5, ANN, "Ann's", deleted=False, changed_seq=5, created_at=NOW),
    BOBS: Message(6, BOB, "Bob's", deleted=False, changed_seq=8, created_at=NOW),
    GONE: Message(7, BOB, "", deleted=True, changed_seq=9, created_at=NOW),
}


def decide(*drafts: tuple[int, Act], **tables: object) -> Decisions:
    """What becomes of these, in a room whose log stands at 10."""
    known = {"authors": AUTHORS, "messages": MESSAGES, "slow_mode_s": 0, **tables}
    fresh_ids = [UUID(int=1 + place) for place in range(len(drafts))]
    batch = [Draft("c1", None, user_id, act) for user_id, act in drafts]
    return Decisions(Tables(head=10, now=NOW, fresh_ids=fresh_ids, **known), batch)  # type: ignore[arg-type]


def verdicts(decided: Decisions) -> list[object]:
    """As (seq, body) what is written, as seq what was there before, as code what is refused."""
    said: list[object] = []
    for draft, verdict in decided.verdicts:
        if isinstance(verdict, CwrkError):
            said.append(verdict.code)
        elif isinstance(verdict, Written) or verdict.draft is not draft:
            said.append(verdict.seq)
        else:
            said.append((verdict.seq, verdict.body))
    return said


def test_what_is_said_gets_the_next_numbers_in_its_order() -> None:
    decided = decide((ANN, Chat("one")), (BOB, Chat("two", reply_to=ANNS)))
    assert verdicts(decided) == [(11, Said("one")), (12, Said("two", ANNS))]
    assert [entry.event_id for entry in decided.entries] == [UUID(int=1), UUID(int=2)]


def test_what_is_refused_takes_no_number_and_hinders_nobody() -> None:
    decided = decide((EVE, Chat("in?")), (ANN, Chat("x", reply_to=UUID(int=9))), (BOB, Chat("still here")))
    assert verdicts(decided) == ["NOT_A_MEMBER", "REPLY_TO_UNKNOWN", (11, Said("still here"))]


def test_a_client_msg_id_counts_once_whatever_it_comes_with_later() -> None:
    before = Written(UUID(int=50), 3, is_message=True, created_at=NOW)
    decided = decide(
        (ANN, Chat("again", "old")),
        (ANN, Chat("new", "x")),
        (ANN, ChatDelete(ANNS, "x")),
        (BOB, Chat("mine", "x")),
        known={(ANN, "old"): before},
    )
    assert verdicts(decided) == [3, (11, Said("new")), 11, (12, Said("mine"))]
    assert decided.deleted == set()


def test_a_refused_draft_may_be_sent_again_under_its_id() -> None:
    decided = decide((BOB, ChatEdit(ANNS, "mine now", "x")), (BOB, Chat("well", "x")))
    assert verdicts(decided) == ["NOT_YOURS", (11, Said("well"))]


def test_edits_are_for_the_author_and_the_last_one_stays() -> None:
    decided = decide(
        (BOB, ChatEdit(BOBS, "first")), (ANN, ChatEdit(BOBS, "not hers")), (BOB, ChatEdit(BOBS, "second"))
    )
    assert verdicts(decided) == [(11, Edited(BOBS, "first")), "NOT_YOURS", (12, Edited(BOBS, "second"))]
    assert decided.texts == {BOBS: "second"}


def test_an_edit_to_the_same_text_is_the_last_change_over_again() -> None:
    assert verdicts(decide((BOB, ChatEdit(BOBS, "Bob's")))) == [8]
    assert verdicts(decide((BOB, ChatEdit(BOBS, "new")), (BOB, ChatEdit(BOBS, "new")))) == [
        (11, Edited(BOBS, "new")),
        11,
    ]


def test_deleting_is_for_the_author_and_for_who_moderates() -> None:
    decided = decide((BOB, ChatDelete(ANNS)), (ANN, ChatDelete(BOBS)), (BOB, ChatDelete(BOBS)))
    assert verdicts(decided) == ["NOT_YOURS", (11, Deleted(BOBS)), 11]
    moderated = decide((BOB, ChatDelete(ANNS)), authors={BOB: Author("moderator")})
    assert verdicts(moderated) == [(11, Deleted(ANNS))]


def test_what_is_deleted_is_neither_edited_nor_reacted_to_and_deleting_it_again_is_a_repeat() -> None:
    decided = decide((BOB, ChatEdit(GONE, "back")), (ANN, ChatReaction(GONE, "👍")), (BOB, ChatDelete(GONE)))
    assert verdicts(decided) == ["MESSAGE_DELETED", "MESSAGE_DELETED", 9]


def test_a_deletion_takes_with_it_what_the_batch_did_before() -> None:
    decided = decide((BOB, ChatEdit(BOBS, "new")), (ANN, ChatReaction(BOBS, "👍")), (BOB, ChatDelete(BOBS)))
    assert [type(entry.body) for entry in decided.entries] == [Edited, Reacted, Deleted]
    assert (decided.texts, decided.put, decided.deleted) == ({}, {}, {BOBS})


@pytest.mark.parametrize("act", [ChatEdit(UUID(int=9), "x"), ChatDelete(UUID(int=9))])
def test_what_is_not_there_is_not_found(act: Act) -> None:
    assert verdicts(decide((ANN, act))) == ["MESSAGE_NOT_FOUND"]


def test_a_reaction_is_put_once_and_taken_once() -> None:
    put, take = ChatReaction(ANNS, "👍"), ChatReaction(ANNS, "👍", added=False)
    decided = decide((BOB, put), (BOB, put), (BOB, take), (BOB, take))
    assert verdicts(decided) == [(11, Reacted(ANNS, "👍", True)), 11, (12, Reacted(ANNS, "👍", False)), 12]
    there = {"put": {(ANNS, BOB, "👍"): 7}, "emojis": {ANNS: {"👍": 1}}}
    decided = decide((BOB, put), (BOB, take), (BOB, put), **there)
    assert verdicts(decided) == [7, (11, Reacted(ANNS, "👍", False)), (12, Reacted(ANNS, "👍", True))]
    assert (decided.put, decided.taken) == ({(ANNS, BOB, "👍"): 12}, set())


def test_there_is_an_end_to_emojis_under_a_message() -> None:
    many = {chr(0x1F600 + n): 1 for n in range(MOST_EMOJIS)}
    more = [(ANN, ChatReaction(ANNS, "👍")), (ANN, ChatReaction(ANNS, chr(0x1F600)))]
    refused, entry = verdicts(decide(*more, emojis={ANNS: many}))
    assert refused == "TOO_MANY_EMOJIS"
    assert entry == (11, Reacted(ANNS, chr(0x1F600), True))
    full = {ANNS: {"👍": MOST_REACTIONS}}
    assert verdicts(decide((ANN, ChatReaction(ANNS, "👍")), emojis=full)) == ["TOO_MANY_REACTIONS"]


def test_slow_mode_is_for_members_and_says_how_long_to_wait() -> None:
    ago = {BOB: Author("member", said_at=NOW - timedelta(seconds=4)), ANN: Author("owner", NOW)}
    decided = decide((BOB, Chat("soon")), (ANN, Chat("mine")), slow_mode_s=10, authors=ago)
    problem = decided.verdicts[0][1]
    assert isinstance(problem, CwrkError)
    assert (problem.code, problem.retry_after) == ("SLOW_MODE", 6.0)
    assert verdicts(decided)[1] == (11, Said("mine"))
    assert decided.spoke == set()


def test_slow_mode_counts_within_a_batch_and_not_for_repeats() -> None:
    decided = decide(
        (BOB, Chat("one", "x")), (BOB, Chat("one", "x")), (BOB, Chat("two", "y")), slow_mode_s=10
    )
    assert verdicts(decided) == [(11, Said("one")), 11, "SLOW_MODE"]
    assert decided.spoke == {BOB}


def test_every_verdict_is_of_its_draft() -> None:
    decided = decide((EVE, Chat("a")), (ANN, Chat("b")))
    assert [draft.user_id for draft, _ in decided.verdicts] == [EVE, ANN]
    assert [type(verdict) for _, verdict in decided.verdicts][1] is Entry
