"""Frames at the door: what is understood, what is refused and how, and that nothing gets past it."""

import contextlib
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import InvalidFields
from rooms.frames.codec import READERS, BadFrame, Frame, decode, encode
from rooms.frames.incoming import (
    Auth,
    Chat,
    ChatDelete,
    ChatEdit,
    ChatReaction,
    Ice,
    Mute,
    Offer,
    Ping,
    Reaction,
    Read,
    Resume,
    Typing,
    VoiceAttach,
)
from rooms.frames.outgoing import Error
from rooms.frames.voice import Slot, Slots

MESSAGE = UUID("0198f000-0000-7000-8000-000000000000")


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"type":"chat","payload":{"message":"hi"}}', Frame(Chat("hi"))),
        ('{"type":"chat","id":"7","payload":{"message":"a\\n\\tb"}}', Frame(Chat("a\n\tb"), "7")),
        (
            f'{{"type":"chat","payload":{{"message":"hi","client_msg_id":"x","reply_to":"{MESSAGE}"}}}}',
            Frame(Chat("hi", "x", MESSAGE)),
        ),
        ('{"type":"mute","payload":{"muted":true}}', Frame(Mute(True))),
        ('{"type":"offer","payload":{"sdp":"v=0\\r\\n"}}', Frame(Offer("v=0\r\n"))),
        ('{"type":"ice","payload":{"candidate":null}}', Frame(Ice())),
        ('{"type":"ping"}', Frame(Ping())),
        ('{"type":"ping","payload":{"last_seq":3}}', Frame(Ping())),
        ('{"type":"read","payload":{"seq":3}}', Frame(Read(3))),
        ('{"type":"resume","payload":{"epoch":"e","last_seq":0}}', Frame(Resume("e", 0))),
        ('{"type":"voice_attach","payload":{"voice_id":"v"}}', Frame(VoiceAttach("v"))),
        ('{"type":"auth","payload":{"access_token":"t"}}', Frame(Auth("t"))),
        (
            '{"type":"auth","payload":{"access_token":"t","resume":{"epoch":"e","last_seq":4}}}',
            Frame(Auth("t", Resume("e", 4))),
        ),
        ('{"type":"ping","payload":{"new":1},"also":"new"}', Frame(Ping())),
        (
            f'{{"type":"chat_edit","payload":{{"msg_id":"{MESSAGE}","message":"hi","client_msg_id":"x"}}}}',
            Frame(ChatEdit(MESSAGE, "hi", "x")),
        ),
        (f'{{"type":"chat_delete","payload":{{"msg_id":"{MESSAGE}"}}}}', Frame(ChatDelete(MESSAGE))),
        (
            f'{{"type":"chat_reaction","payload":{{"msg_id":"{MESSAGE}","emoji":"👍🏽","added":false}}}}',
            Frame(ChatReaction(MESSAGE, "👍🏽", added=False)),
        ),
        ('{"type":"typing"}', Frame(Typing())),
        ('{"type":"typing","payload":{"typing":false}}', Frame(Typing(typing=False))),
        ('{"type":"reaction","payload":{"emoji":"🎉"}}', Frame(Reaction("🎉"))),
    ],
)
def test_what_is_understood(text: str, frame: Frame) -> None:
    assert decode(text) == frame


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "BAD_FRAME"),
        ("{", "BAD_FRAME"),
        ("[]", "BAD_FRAME"),
        ("[" * 60_000, "BAD_FRAME"),
        ("1" * 10_000, "BAD_FRAME"),
        ("{}", "UNKNOWN_TYPE"),
        ('{"type":"dance"}', "UNKNOWN_TYPE"),
        ('{"type":["chat"]}', "UNKNOWN_TYPE"),
        ('{"type":"ping","id":5}', "INVALID_FIELDS"),
        ('{"type":"ping","payload":[]}', "INVALID_FIELDS"),
        ('{"type":"mute","payload":{"muted":1}}', "INVALID_FIELDS"),
        ('{"type":"read","payload":{"seq":true}}', "INVALID_FIELDS"),
        ('{"type":"resume","payload":{"epoch":"e","last_seq":1e3}}', "INVALID_FIELDS"),
        ('{"type":"auth","payload":{"access_token":"t","resume":7}}', "INVALID_FIELDS"),
        ('{"type":"offer","payload":{"sdp":""}}', "INVALID_FIELDS"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadFrame) as caught:
        decode(text)
    assert caught.value.error.code == code


@pytest.mark.parametrize(
    "message",
    ["", "  \n", "a" * 4001, "bell\u0007", "nul\u0000", "c1\u0085", "half \ud83d", 7, None, ["hi"]],
)
def test_a_chat_that_is_blank_too_long_or_unprintable_is_refused(message: Any) -> None:
    with pytest.raises(BadFrame) as caught:
        decode(json.dumps({"type": "chat", "payload": {"message": message, "client_msg_id": "x"}}))
    error = caught.value.error
    assert isinstance(error, InvalidFields)
    assert [wrong.field for wrong in error.errors] == ["message"]
    assert caught.value.about == "x"


def test_4000_code_points_are_accepted_whatever_their_bytes() -> None:
    frame = decode(json.dumps({"type": "chat", "payload": {"message": "📚" * 4000}}))
    assert frame == Frame(Chat("📚" * 4000))


@pytest.mark.parametrize("client_msg_id", ["", "a" * 65, "line\n", 5])
def test_a_client_msg_id_is_short_and_printable(client_msg_id: Any) -> None:
    with pytest.raises(BadFrame):
        decode(json.dumps({"type": "chat", "payload": {"message": "a", "client_msg_id": client_msg_id}}))


@pytest.mark.parametrize("emoji", ["👍", "👨‍👩‍👧‍👦", "❤️", "🇷🇺", "1️⃣", "🏴‍☠️"])
def test_an_emoji_is_an_emoji(emoji: str) -> None:
    assert decode(json.dumps({"type": "reaction", "payload": {"emoji": emoji}})) == Frame(Reaction(emoji))


@pytest.mark.parametrize(
    "emoji", ["", " ", "a", "👍 ", "да", "1", "!", "👍" * 17, "\u0007", "\ud83d", 5, None]
)
def test_what_is_none_is_refused(emoji: Any) -> None:
    for kind, more in (("reaction", {}), ("chat_reaction", {"msg_id": str(MESSAGE)})):
        with pytest.raises(BadFrame) as caught:
            decode(json.dumps({"type": kind, "payload": {"emoji": emoji, **more}}))
        assert isinstance(caught.value.error, InvalidFields)
        assert [wrong.field for wrong in caught.value.error.errors] == ["emoji"]


@pytest.mark.parametrize("msg_id", ["", "x", 5, None, [], {}, "0198f000-0000-7000-8000-00000000000g"])
def test_what_is_no_messages_id_is_refused(msg_id: Any) -> None:
    for kind in ("chat_edit", "chat_delete", "chat_reaction"):
        with pytest.raises(BadFrame) as caught:
            decode(json.dumps({"type": kind, "payload": {"msg_id": msg_id, "message": "x", "emoji": "👍"}}))
        assert caught.value.error.code == "INVALID_FIELDS"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = [
    *(
        "message",
        "client_msg_id",
        "reply_to",
        "msg_id",
        "emoji",
        "added",
        "typing",
        "raised",
        "action",
        "role",
    ),
    *("user_id", "seconds", "muted", "sdp", "voice_id", "access_token", "resume", "seq"),
]
PAYLOADS = st.dictionaries(st.sampled_from([*FIELDS, "epoch", "last_seq"]) | st.text(), JSON) | JSON
FRAMES = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(READERS)) | JSON, "payload": PAYLOADS}, optional={"id": JSON}
)


VALUES = (
    st.text() | st.integers() | st.booleans() | st.uuids().map(str) | st.sampled_from(["👍", "role", "ban"])
)
NEARLY = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(READERS)), "payload": st.dictionaries(st.sampled_from(FIELDS), VALUES)}
)


@given(NEARLY)
def test_what_is_nearly_right_is_a_frame_of_its_type_or_a_bad_frame(frame: dict[str, Any]) -> None:
    with contextlib.suppress(BadFrame):
        assert decode(json.dumps(frame)).message.type == frame["type"]


@given(st.text() | FRAMES.map(json.dumps) | JSON.map(json.dumps))
@example('{"type":"chat","payload":{"message":"x","reply_to":{}}}')
def test_whatever_comes_is_a_frame_or_a_bad_frame(text: str) -> None:
    with contextlib.suppress(BadFrame):
        decode(text)


def test_what_we_send() -> None:
    slots = Slots("v", (Slot("1", None), Slot("2", "7")))
    assert encode(slots, ref_id="5", seq=9) == (
        b'{"type":"slots","id":"5","seq":9,"payload":'
        b'{"voice_id":"v","slots":[{"mid":"1","user_id":null},{"mid":"2","user_id":"7"}]}}'
    )


def test_only_an_error_that_says_when_has_retry_after_ms() -> None:
    assert json.loads(encode(Error("C", "m", None, True, 250)))["payload"]["retry_after_ms"] == 250
    assert "retry_after_ms" not in json.loads(encode(Error("C", "m", None, False)))["payload"]
