"""Rotating the signing key: shown before it signs, and the old one verifies until its tokens end."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auth import keys, keys_command, rotation
from auth.rotation import LiveRing, Pace
from common import log
from common.config import ConfigError

PACE = Pace()
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With one key, made long ago."""
    keys.open_ring(tmp_path)
    keys.remove(tmp_path, kept=())
    keys.add_signing_key(tmp_path, START - timedelta(days=90))
    return tmp_path


def kids(folder: Path, now: datetime) -> tuple[str, list[str]]:
    """Of the key that signs, and of those that verify."""
    ring = keys.open_ring(folder)
    return PACE.signing(ring, now).kid, [key.kid for key in PACE.verifying(ring, now)]


def test_the_first_key_signs_at_once(tmp_path: Path) -> None:
    ring = keys.open_ring(tmp_path)
    assert PACE.signing(ring, datetime.now(UTC)) is ring.keys[0]


def test_a_new_key_is_shown_for_two_refetches_before_it_signs(folder: Path) -> None:
    (old,) = keys.open_ring(folder).keys
    new = rotation.rotate(folder, PACE, START)
    assert timedelta(seconds=60) == PACE.delay
    assert kids(folder, START) == (old.kid, [old.kid, new.kid])
    assert kids(folder, START + PACE.delay - SECOND) == (old.kid, [old.kid, new.kid])
    assert kids(folder, START + PACE.delay) == (new.kid, [old.kid, new.kid])


def test_an_old_key_verifies_until_its_last_token_has_ended(folder: Path) -> None:
    (old,) = keys.open_ring(folder).keys
    new = rotation.rotate(folder, PACE, START)
    last_token = START + PACE.delay
    assert timedelta(minutes=15) < PACE.life
    assert kids(folder, last_token + PACE.life - SECOND) == (new.kid, [old.kid, new.kid])
    assert kids(folder, last_token + PACE.life) == (new.kid, [new.kid])


def test_rotating_again_removes_what_is_retired_and_nothing_else(folder: Path) -> None:
    first = keys.open_ring(folder).keys[0]
    second = rotation.rotate(folder, PACE, START)
    third = rotation.rotate(folder, PACE, START + timedelta(minutes=10))
    assert [key.kid for key in keys.open_ring(folder).keys] == [first.kid, second.kid, third.kid]
    fourth = rotation.rotate(folder, PACE, START + timedelta(days=1))
    assert [key.kid for key in keys.open_ring(folder).keys] == [third.kid, fourth.kid]


def test_a_key_that_waits_to_sign_is_waited_for(folder: Path) -> None:
    rotation.rotate(folder, PACE, START)
    with pytest.raises(ConfigError, match=r"waits to sign from 12:01:00 UTC on"):
        rotation.rotate(folder, PACE, START + timedelta(seconds=59))


async def test_a_running_auth_sees_a_new_key_by_itself(folder: Path) -> None:
    pace = Pace(timedelta(seconds=0.3))
    ring = LiveRing(folder, keys.open_ring(folder), pace)
    watching = asyncio.create_task(ring.run())
    try:
        (before,) = json.loads(ring.jwks)["keys"]
        new = rotation.rotate(folder, pace, datetime.now(UTC))
        assert ring.signing.kid == before["kid"]
        async with asyncio.timeout(5):
            while ring.signing.kid != new.kid:  # noqa: ASYNC110  # a folder tells nobody of its changes
                await asyncio.sleep(0.01)
        assert len(json.loads(ring.jwks)["keys"]) == 2
    finally:
        watching.cancel()


async def test_a_folder_that_cannot_be_read_changes_nothing(folder: Path) -> None:
    pace = Pace(timedelta(seconds=0.06))
    ring = LiveRing(folder, keys.open_ring(folder), pace)
    watching = asyncio.create_task(ring.run())
    try:
        kid = ring.signing.kid
        (folder / "signing-20261122T120000.000000Z-broken.pem").write_text("not a key")
        await asyncio.sleep(0.1)  # several looks
        assert ring.signing.kid == kid
        assert not watching.done()
    finally:
        watching.cancel()


def test_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTH_KEYS_DIR", str(folder))
    # The logs of this process are the tests' own; loggers remember what they were set to.
    monkeypatch.setattr(log, "configure", lambda *_, **__: None)
    assert keys_command.run(["list"]) == 0
    (old,) = capsys.readouterr().out.splitlines()
    assert old.endswith("  signs")
    assert keys_command.run(["rotate"]) == 0
    *_logged, new, old = capsys.readouterr().out.splitlines()
    assert "  signs from " in new
    assert old.endswith("  signs")
    assert keys_command.run(["rotate"]) == 2
    assert "waits to sign" in capsys.readouterr().err
    assert keys_command.run(["drop"]) == 2


def test_each_key_is_listed_with_what_it_does(folder: Path) -> None:
    rotation.rotate(folder, PACE, START)
    rotation.rotate(folder, PACE, START + timedelta(minutes=10))
    ring = keys.open_ring(folder)

    def states(after: timedelta) -> list[str]:
        return [line.state for line in keys_command.listed(ring, PACE, START + after)]

    assert states(timedelta(minutes=10)) == [
        "signs from 2026-11-22 12:11:00 UTC on",
        "signs",
        "verifies until 2026-11-22 12:17:05 UTC",
    ]
    assert states(timedelta(minutes=20)) == [
        "signs",
        "verifies until 2026-11-22 12:27:05 UTC",
        "retired; the next rotation removes it",
    ]
