"""What becomes of a batch of drafts, decided over what the tables say of them. No database here.

Each draft is decided in its turn, upon what those before it in the batch will have
changed. What is refused or was there before writes nothing, and hinders nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from common.errors import Conflict, CwrkError, Forbidden, NotFound, TooMany
from rooms.core.effects import Draft
from rooms.core.events import Body, Deleted, Edited, Reacted, Said
from rooms.core.rights import moderates
from rooms.frames.incoming import Chat, ChatDelete, ChatEdit, ChatReaction

MOST_EMOJIS = 20  # different ones under a message
MOST_REACTIONS = 500  # under a message, all together

Key: TypeAlias = tuple[int, str]  # a person, and the client_msg_id that they gave
Put: TypeAlias = tuple[UUID, int, str]  # a reaction: under which message, whose, which


@dataclass(frozen=True, slots=True)
class Author:
    """A member who sends. `said_at` is kept in slow mode only."""

    role: str
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What the log has already: enough to ack it."""

    event_id: UUID
    seq: int
    is_message: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One that a draft is about. `changed_seq`: its last edit, or deletion, or its own seq."""

    seq: int
    user_id: int
    text: str
    deleted: bool
    changed_seq: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Tables:
    """All that the decisions rest on, as of one moment: that of `head`. `fresh_ids`: one for each draft."""

    head: int
    now: datetime
    slow_mode_s: int
    fresh_ids: Sequence[UUID]
    authors: Mapping[int, Author] = field(default_factory=dict)
    known: Mapping[Key, Written] = field(default_factory=dict)
    messages: Mapping[UUID, Message] = field(default_factory=dict)
    emojis: Mapping[UUID, Mapping[str, int]] = field(default_factory=dict)  # how many put each
    put: Mapping[Put, int] = field(default_factory=dict)  # by which seq


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be written."""

    draft: Draft
    event_id: UUID
    seq: int
    body: Body


# What is to be told of a draft: it is written now, it (or the same in this batch) was before, or why not.
Verdict: TypeAlias = Entry | Written | CwrkError


class Decisions:
    """`verdicts` in the order of the drafts; the rest is what the tables are to become."""

    def __init__(self, tables: Tables, batch: Sequence[Draft]) -> None:
        self.tables = tables
        self.entries: list[Entry] = []
        self.texts: dict[UUID, str] = {}
        self.deleted: set[UUID] = set()
        self.put: dict[Put, int] = {}
        self.taken: set[Put] = set()
        self.spoke: set[int] = set()  # in slow mode: who has said something
        self._named: dict[Key, Entry] = {}
        self._emojis = {msg_id: dict(counts) for msg_id, counts in tables.emojis.items()}
        self.verdicts = [(draft, self._verdict(draft)) for draft in batch]

    def _verdict(self, draft: Draft) -> Verdict:
        author = self.tables.authors.get(draft.user_id)
        if author is None:
            return Forbidden("You are not in this room any more.", code="NOT_A_MEMBER")
        key = (draft.user_id, draft.act.client_msg_id) if draft.act.client_msg_id is not None else None
        if key is not None and (before := self._named.get(key) or self.tables.known.get(key)):
            return before
        try:
            decided = self._body(draft, author)
        except CwrkError as problem:
            return problem
        if isinstance(decided, Written):
            return decided
        place = len(self.entries)
        entry = Entry(draft, self.tables.fresh_ids[place], self.tables.head + place + 1, decided)
        self.entries.append(entry)
        if key is not None:
            self._named[key] = entry
        return entry

    def _body(self, draft: Draft, author: Author) -> Body | Written:
        """What is to be written; or what was, where the draft changes nothing."""
        match draft.act:
            case Chat(text, _, reply_to):
                return self._say(draft.user_id, author, text, reply_to)
            case ChatEdit(msg_id, text):
                return self._edit(draft.user_id, msg_id, text)
            case ChatDelete(msg_id):
                return self._delete(draft.user_id, author, msg_id)
            case ChatReaction(msg_id, emoji, added):
                return self._react((msg_id, draft.user_id, emoji), added)

    def _say(self, user_id: int, author: Author, text: str, reply_to: UUID | None) -> Body:
        if reply_to is not None and reply_to not in self.tables.messages:
            raise NotFound("The message this answers is not in the room.", code="REPLY_TO_UNKNOWN")
        if self.tables.slow_mode_s and not moderates(author.role):
            self._wait_your_turn(user_id, author)
        return Said(text, reply_to)

    def _wait_your_turn(self, user_id: int, author: Author) -> None:
        wait = float(self.tables.slow_mode_s)
        if user_id not in self.spoke:
            passed = (self.tables.now - author.said_at).total_seconds() if author.said_at else wait
            wait -= passed
        if wait > 0:
            raise TooMany(
                f"Slow mode: one message in {self.tables.slow_mode_s} s. Wait a moment.",
                code="SLOW_MODE",
                retry_after=wait,
            )
        self.spoke.add(user_id)

    def _edit(self, user_id: int, msg_id: UUID, text: str) -> Body | Written:
        message = self._message(msg_id)
        if message.user_id != user_id:
            raise Forbidden("Only its author may edit a message.", code="NOT_YOURS")
        self._not_deleted(msg_id, message)
        if self.texts.get(msg_id, message.text) == text:
            return self._as_it_is(msg_id, message)
        self.texts[msg_id] = text
        return Edited(msg_id, text)

    def _delete(self, user_id: int, author: Author, msg_id: UUID) -> Body | Written:
        message = self._message(msg_id)
        if message.user_id != user_id and not moderates(author.role):
            raise Forbidden("Only its author or a moderator may delete a message.", code="NOT_YOURS")
        if message.deleted or msg_id in self.deleted:
            return self._as_it_is(msg_id, message)
        self.deleted.add(msg_id)
        self.texts.pop(msg_id, None)
        self.put = {put: seq for put, seq in self.put.items() if put[0] != msg_id}
        self.taken = {put for put in self.taken if put[0] != msg_id}
        return Deleted(msg_id)

    def _react(self, put: Put, added: bool) -> Body | Written:
        msg_id, _, emoji = put
        message = self._message(msg_id)
        self._not_deleted(msg_id, message)
        there = None if put in self.taken else self.put.get(put, self.tables.put.get(put))
        if added == (there is not None):
            return self._as_it_is(msg_id, message, there)
        counts = self._emojis.setdefault(msg_id, {})
        if added:
            if emoji not in counts and len(counts) >= MOST_EMOJIS:
                raise Conflict(
                    f"A message takes {MOST_EMOJIS} different emojis at most.", code="TOO_MANY_EMOJIS"
                )
            if sum(counts.values()) >= MOST_REACTIONS:
                raise Conflict(
                    f"A message takes {MOST_REACTIONS} reactions at most.", code="TOO_MANY_REACTIONS"
                )
            counts[emoji] = counts.get(emoji, 0) + 1
            self.taken.discard(put)
            self.put[put] = self.tables.head + len(self.entries) + 1
        else:
            counts[emoji] -= 1
            if not counts[emoji]:
                del counts[emoji]
            self.put.pop(put, None)
            self.taken.add(put)
        return Reacted(msg_id, emoji, added)

    def _message(self, msg_id: UUID) -> Message:
        if (message := self.tables.messages.get(msg_id)) is None:
            raise NotFound("There is no such message in this room.", code="MESSAGE_NOT_FOUND")
        return message

    def _not_deleted(self, msg_id: UUID, message: Message) -> None:
        if message.deleted or msg_id in self.deleted:
            raise Conflict("This message was deleted.", code="MESSAGE_DELETED")

    def _as_it_is(self, msg_id: UUID, message: Message, seq: int | None = None) -> Written:
        """The event that made it so, where that is known; else the last that changed the message."""
        if seq is None:
            ours = [e.seq for e in self.entries if getattr(e.body, "msg_id", None) == msg_id]
            seq = ours[-1] if ours else message.changed_seq
        return Written(msg_id, seq, is_message=False, created_at=message.created_at)
