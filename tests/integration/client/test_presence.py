"""Who is here is told as changes, also what changed while nobody could tell."""

from __future__ import annotations

from typing import Any

import pytest

from client import PersonJoined, PersonLeft, PersonUpdated, ProtocolError
from client.presence import Presence

SETTINGS = {
    "name": "Algebra",
    "topic": "",
    "visibility": "public",
    "max_participants": 10,
    "owner_id": "1",
    "locked": False,
    "slow_mode_s": 0,
    "listen_only": False,
}


def person(user_id: str, role: str = "member", **more: Any) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "display_name": f"Person {user_id}",
        "role": role,
        "joined_at_unix": 1_795_000_000,
        "last_seen_unix": 1_795_000_000,
        "muted": False,
        "muted_by": "",
        "hand_raised_at": None,
        "may_speak": True,
        **more,
    }


def state(*people: dict[str, Any], **settings: Any) -> dict[str, Any]:
    payload = {"room_id": "r", "participants": list(people), "room": {**SETTINGS, **settings}, "timer": {}}
    return {"type": "state", "payload": payload}


def test_the_first_state_is_no_news_and_the_next_one_tells_what_changed() -> None:
    presence = Presence()
    assert presence.hear(state(person("1", "owner"), person("2"), person("3"))) == []
    news = presence.hear(state(person("1", "owner"), person("3", muted=True, muted_by="self"), person("4")))
    gone, changed, came = news
    assert isinstance(gone, PersonLeft)
    assert isinstance(changed, PersonUpdated)
    assert isinstance(came, PersonJoined)
    assert [each.person.user_id for each in (gone, changed, came)] == ["2", "3", "4"]
    assert list(presence.people) == ["1", "3", "4"]


def test_what_is_known_is_told_once() -> None:
    presence = Presence()
    presence.hear(state(person("1", "owner")))
    joined = {"type": "peer_joined", "payload": {"participant": person("2")}}
    left = {"type": "peer_left", "payload": {"user_id": "2"}}
    assert [type(event) for event in presence.hear(joined)] == [PersonJoined]
    assert presence.hear(joined) == []
    assert [type(event) for event in presence.hear(left)] == [PersonLeft]
    assert presence.hear(left) == []


def test_the_room_decides_whether_members_may_speak() -> None:
    presence = Presence()
    presence.hear(state(person("1", "owner"), person("2"), person("3", "listener", may_speak=False)))
    updated = {"type": "room_updated", "payload": {"room": {**SETTINGS, "listen_only": True}}}
    assert presence.hear(updated) == []  # RoomUpdated is an event of the log
    assert {who: each.may_speak for who, each in presence.people.items()} == {
        "1": True,
        "2": False,
        "3": False,
    }
    updated["payload"] = {"room": SETTINGS}
    presence.hear(updated)
    assert {who: each.may_speak for who, each in presence.people.items()} == {
        "1": True,
        "2": True,
        "3": False,
    }


def test_what_cannot_be_read_is_said_and_what_is_new_is_passed_over() -> None:
    presence = Presence()
    assert presence.hear({"type": "of a later server", "payload": {}}) == []
    assert presence.hear(state(person("1", shoes="red"), colour="green")) == []
    with pytest.raises(ProtocolError, match="state"):
        presence.hear({"type": "state", "payload": {}})
