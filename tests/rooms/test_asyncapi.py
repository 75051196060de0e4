"""The published schema of the frames: it is what the code says, and it says no to what is wrong."""

from __future__ import annotations

import copy
import json
import re
from typing import Any, get_args
from uuid import uuid4

import jsonschema
import pytest

from rooms.frames import asyncapi
from rooms.frames.codec import READERS, BadFrame, decode, encode
from rooms.frames.incoming import ClientMessage
from rooms.frames.outgoing import ChatSaid, Error, Pong, ServerMessage
from tests.frames import RECEIVED, SENT

SAID = ChatSaid(
    room_id=str(uuid4()),
    user_id="7",
    message="hello",
    msg_id=str(uuid4()),
    ts_unix=1,
    display_name="Ann",
    client_msg_id=None,
    reply_to=None,
)


def frame_of(message: ServerMessage, seq: int | None = None) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(encode(message, seq=seq))
    return frame


def test_the_committed_document_is_the_one_the_code_makes() -> None:
    assert asyncapi.FILE.read_text("utf-8") == asyncapi.written(), (
        "make asyncapi writes docs/asyncapi.json anew"
    )


def test_every_frame_is_described_and_no_other() -> None:
    assert RECEIVED.types == set(READERS) == {kind.type for kind in get_args(ClientMessage)}
    assert SENT.types == {kind.type for kind in get_args(ServerMessage)}
    names = [kind.__name__ for kind in get_args(ClientMessage) + get_args(ServerMessage)]
    assert len(names) == len(set(names)) == len(asyncapi.document()["components"]["messages"])


def test_what_is_referred_to_is_there() -> None:
    whole = asyncapi.document()
    references = set(re.findall(r"'\$ref': '#/([^']+)'", repr(whole)))
    assert references
    for reference in references:
        found: Any = whole
        for step in reference.split("/"):
            found = found[step]
    for schema in whole["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)


def test_what_we_send_holds() -> None:
    SENT.check(frame_of(SAID, seq=1))
    SENT.check(frame_of(Pong(3)))
    SENT.check(frame_of(Error("X", "no", None, False)))
    SENT.check(frame_of(Error("X", "no", "a", True, 1000)))


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("seq",), None),
        (("seq",), 0),
        (("seq",), "1"),
        (("type",), "chatter"),
        (("type",), "pong"),
        (("id",), "a"),  # what everybody gets answers nobody
        (("payload",), None),
        (("payload", "message"), None),
        (("payload", "message"), 1),
        (("payload", "user_id"), 7),
        (("payload", "user_id"), "ann"),
        (("payload", "msg_id"), "m1"),
        (("payload", "ts_unix"), 1.5),
        (("payload", "ts_unix"), True),
        (("payload", "deleted"), "no"),
        (("payload", "colour"), "red"),
    ],
)
def test_a_wrong_frame_is_refused(where: tuple[str, ...], value: object) -> None:
    frame = copy.deepcopy(frame_of(SAID, seq=1))
    *way, last = where
    inner = frame
    for step in way:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    with pytest.raises(AssertionError):
        SENT.check(frame)


GOOD = [
    {"type": "ping"},
    {"type": "ping", "id": "a", "payload": {}},
    {"type": "chat", "payload": {"message": "x" * 4000}},
    {"type": "chat", "payload": {"message": "🦉" * 4000, "client_msg_id": None, "reply_to": str(uuid4())}},
    {"type": "auth", "payload": {"access_token": "t", "resume": {"epoch": "e", "last_seq": 0}}},
    {"type": "typing"},
    {"type": "chat_reaction", "payload": {"msg_id": str(uuid4()), "emoji": "👍"}},
    {"type": "moderate", "payload": {"action": "ban", "user_id": "7", "seconds": 60}},
    {"type": "moderate", "payload": {"action": "mute", "user_id": 7}},
    {"type": "read", "payload": {"seq": 2**53 - 1}},
]
BAD = [
    {"type": "whisper", "payload": {}},
    {"type": "ping", "id": "x" * 65},
    {"type": "chat"},
    {"type": "chat", "payload": {"message": ""}},
    {"type": "chat", "payload": {"message": " \n"}},
    {"type": "chat", "payload": {"message": "x" * 4001}},
    {"type": "chat", "payload": {"message": "x", "client_msg_id": "x" * 65}},
    {"type": "chat", "payload": {"message": "x", "reply_to": 7}},
    {"type": "auth", "payload": {"access_token": "t", "resume": {"epoch": "e"}}},
    {"type": "typing", "payload": {"typing": 1}},
    {"type": "hand", "payload": {}},
    {"type": "moderate", "payload": {"action": "promote", "user_id": "7"}},
    {"type": "moderate", "payload": {"action": "ban", "user_id": "7", "seconds": 0}},
    {"type": "read", "payload": {"seq": -1}},
    {"type": "read", "payload": {"seq": 2**53}},
]


@pytest.mark.parametrize("frame", GOOD)
def test_the_schema_and_the_reader_take_the_same(frame: dict[str, Any]) -> None:
    RECEIVED.check(frame)
    decode(json.dumps(frame))


@pytest.mark.parametrize("frame", BAD)
def test_the_schema_and_the_reader_refuse_the_same(frame: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        RECEIVED.check(frame)
    with pytest.raises(BadFrame):
        decode(json.dumps(frame))
