"""TURN credentials: made as the scheme says, told in hello, and refused settings."""

from __future__ import annotations

import pytest

from common.config import ConfigError, load
from rooms.config import Config
from rooms.turn import credentials, ice_servers
from tests.rooms import kit

SETTINGS = {
    "DATABASE_URL": "postgresql://x/y",
    "ICE_SERVERS": '[{"urls": "stun:stun.example.org"}]',
    "TURN_URLS": "turn:turn.example.org:3478?transport=udp, turns:turn.example.org",
    "TURN_SECRET": "north",
    "TURN_TTL_S": "600",
}


def test_the_password_is_what_coturn_works_out() -> None:
    """`printf 1700000000:42 | openssl dgst -sha1 -hmac north -binary | base64`."""
    assert credentials("north", 42, 1_700_000_000) == ("1700000000:42", "DWX3FI7DiPIpadEYQAZsnZBAagI=")


def test_each_user_and_each_time_has_its_own() -> None:
    clock = [1_700_000_000.9]
    told = ice_servers(load(Config, SETTINGS), lambda: clock[0])
    static, turn = told(42)
    assert static == {"urls": "stun:stun.example.org"}
    assert turn["urls"] == ["turn:turn.example.org:3478?transport=udp", "turns:turn.example.org"]
    assert (turn["username"], turn["credential"]) == credentials("north", 42, 1_700_000_600)
    clock[0] += 60
    assert told(42)[1]["username"] == "1700000660:42"
    assert told(7)[1]["username"] == "1700000660:7"


async def test_each_connection_is_told(stack: kit.Stack) -> None:
    urls = ("turn:turn.example.org",)
    async with stack.running(turn_urls=urls, turn_secret="north", turn_ttl_s=3600) as rooms:
        room_id = await rooms.create()
        (ann,) = await rooms.enter(room_id, 1)
        hello = ann.seen[0]["payload"]
    (turn,) = hello["ice_servers"]
    expires = int(turn["username"].partition(":")[0])
    assert 3590 <= expires - hello["server_time_ms"] / 1000 <= 3601
    assert (turn["username"], turn["credential"]) == credentials("north", 1, expires)


def test_without_turn_only_what_is_set() -> None:
    assert ice_servers(load(Config, {"DATABASE_URL": "postgresql://x/y"}), lambda: 0.0)(42) == ()


@pytest.mark.parametrize("missing", ["TURN_URLS", "TURN_SECRET"])
def test_one_without_the_other_is_refused(missing: str) -> None:
    config = load(Config, {name: value for name, value in SETTINGS.items() if name != missing})
    with pytest.raises(ConfigError, match="TURN_URLS and TURN_SECRET"):
        ice_servers(config, lambda: 0.0)


@pytest.mark.parametrize(
    "url", ["http://turn.example.org", "turn.example.org", "turn:", "turn:a?transport=sctp"]
)
def test_a_wrong_url_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="TURN_URLS"):
        load(Config, {**SETTINGS, "TURN_URLS": url})


def test_the_secret_is_not_shown() -> None:
    assert "north" not in repr(load(Config, SETTINGS))
