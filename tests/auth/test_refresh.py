"""Refreshing: a token is good once, a lost answer is forgiven for 10 s, a kept copy ends the session."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import jwt
import pytest

from auth.accounts import TokenPair
from auth.sessions import Origin
from common.errors import Unauthenticated
from tests.auth.conftest import Rules
from tests.auth.running import PASSWORD

HERE = Origin("203.0.113.7", "Firefox")

# Somebody waits for a row of this database that another transaction has changed.
WAITING = (
    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE a.datname = current_database() AND NOT l.granted"
)


@pytest.fixture
async def first(rules: Rules) -> TokenPair:
    """What registering gave."""
    _, pair = await rules.accounts.register(
        email="ann@example.org", display_name="Ann", password=PASSWORD, origin=Origin("", "")
    )
    return pair


async def refused(rules: Rules, refresh_token: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        await rules.accounts.refresh(refresh_token, HERE)
    return error.value.code


async def stored(rules: Rules) -> tuple[int, datetime | None]:
    """The session's generation, and when it was revoked."""
    async with rules.database.connection() as connection:
        row = await connection.fetchrow("SELECT generation, revoked_at FROM auth.sessions")
    assert row is not None
    return row["generation"], row["revoked_at"]


async def test_each_use_gives_the_next_token(rules: Rules, first: TokenPair) -> None:
    seen = [first.refresh_token]
    for _ in range(5):
        rules.clock.forward(timedelta(minutes=15))
        seen.append((await rules.accounts.refresh(seen[-1], HERE)).refresh_token)
    assert len(set(seen)) == 6
    assert await stored(rules) == (5, None)


async def test_a_refreshed_access_token_belongs_to_the_same_session(rules: Rules, first: TokenPair) -> None:
    second = await rules.accounts.refresh(first.refresh_token, HERE)
    before, after = (
        jwt.decode(pair.access_token, options={"verify_signature": False}) for pair in (first, second)
    )
    assert (after["sub"], after["sid"], after["name"]) == (before["sub"], before["sid"], "Ann")
    assert after["jti"] != before["jti"]


async def test_fifty_at_once_move_the_session_on_once(rules: Rules, first: TokenPair) -> None:
    pairs = await asyncio.gather(*(rules.accounts.refresh(first.refresh_token, HERE) for _ in range(50)))
    assert len({pair.refresh_token for pair in pairs}) == 1
    assert await stored(rules) == (1, None)


async def test_a_refresh_does_not_undo_a_logout_it_meets(
    rules: Rules, first: TokenPair, auth_database: str
) -> None:
    """The logout has the row and has not committed yet; the refresh has to wait for it, and believe it."""
    logout = await asyncpg.connect(auth_database)
    async with logout.transaction():
        await logout.execute("UPDATE auth.sessions SET revoked_at = now()")
        refreshing = asyncio.ensure_future(refused(rules, first.refresh_token))
        async with rules.database.connection() as connection, asyncio.timeout(5):
            while not await connection.fetchval(WAITING):
                assert not refreshing.done()
    await logout.close()
    assert await refreshing == "SESSION_ENDED"
    generation, revoked_at = await stored(rules)
    assert (generation, revoked_at is None) == (0, False)


async def test_a_lost_answer_can_be_asked_for_again_for_ten_seconds(rules: Rules, first: TokenPair) -> None:
    second = await rules.accounts.refresh(first.refresh_token, HERE)
    rules.clock.forward(timedelta(seconds=10))
    again = await rules.accounts.refresh(first.refresh_token, HERE)
    assert again.refresh_token == second.refresh_token
    assert await stored(rules) == (1, None)


async def test_after_ten_seconds_it_is_a_copy_and_the_session_ends(rules: Rules, first: TokenPair) -> None:
    second = await rules.accounts.refresh(first.refresh_token, HERE)
    rules.clock.forward(timedelta(seconds=10, microseconds=1))
    assert await refused(rules, first.refresh_token) == "REFRESH_TOKEN_REUSED"
    # The error did not undo the revocation: it is in the database, and the newest token is worth nothing.
    assert await stored(rules) == (1, rules.clock.now)
    assert await refused(rules, second.refresh_token) == "SESSION_ENDED"


async def test_a_token_two_steps_old_ends_the_session_at_once(rules: Rules, first: TokenPair) -> None:
    second = await rules.accounts.refresh(first.refresh_token, HERE)
    third = await rules.accounts.refresh(second.refresh_token, HERE)
    assert await refused(rules, first.refresh_token) == "REFRESH_TOKEN_REUSED"
    assert await refused(rules, third.refresh_token) == "SESSION_ENDED"


async def test_a_replay_ends_its_own_session_alone(rules: Rules, first: TokenPair) -> None:
    _, other = await rules.accounts.login(email="ann@example.org", password=PASSWORD, origin=Origin("", ""))
    second = await rules.accounts.refresh(first.refresh_token, HERE)
    await rules.accounts.refresh(second.refresh_token, HERE)
    assert await refused(rules, first.refresh_token) == "REFRESH_TOKEN_REUSED"
    assert (await rules.accounts.refresh(other.refresh_token, HERE)).access_token


async def test_a_session_unused_for_its_idle_time_ends(rules: Rules, first: TokenPair) -> None:
    rules.clock.forward(timedelta(days=29))
    second = await rules.accounts.refresh(first.refresh_token, HERE)
    rules.clock.forward(timedelta(days=29))
    third = await rules.accounts.refresh(second.refresh_token, HERE)
    rules.clock.forward(timedelta(days=30))
    assert await refused(rules, third.refresh_token) == "SESSION_ENDED"


async def test_a_session_ends_when_it_is_too_old_however_much_it_is_used(
    rules: Rules, first: TokenPair
) -> None:
    pair = first
    for _ in range(8):
        rules.clock.forward(timedelta(days=20))
        pair = await rules.accounts.refresh(pair.refresh_token, HERE)
    rules.clock.forward(timedelta(days=20))
    assert await refused(rules, pair.refresh_token) == "SESSION_ENDED"


async def test_a_database_from_a_backup_takes_the_token_it_has_forgotten(
    rules: Rules, first: TokenPair
) -> None:
    second = await rules.accounts.refresh(first.refresh_token, HERE)
    third = await rules.accounts.refresh(second.refresh_token, HERE)
    async with rules.database.connection() as connection:
        await connection.execute("UPDATE auth.sessions SET generation = 0")
    assert (await rules.accounts.refresh(third.refresh_token, HERE)).access_token
    assert await stored(rules) == (3, None)


async def test_what_we_did_not_make_is_refused_and_harms_nobody(rules: Rules, first: TokenPair) -> None:
    middle = len(first.refresh_token) // 2
    changed = "A" if first.refresh_token[middle] != "A" else "B"
    tampered = first.refresh_token[:middle] + changed + first.refresh_token[middle + 1 :]
    for token in ("", "x", "cwrkr_", "cwrkr_é", "cwrkr_" + "A" * 75, first.refresh_token[6:], tampered, "\0"):
        assert await refused(rules, token) == "REFRESH_TOKEN_INVALID"
    assert (await rules.accounts.refresh(first.refresh_token, HERE)).access_token
