"""Who may register, who is the administrator, who is refused, and what stays of somebody who left."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from auth.attempts import Attempts
from auth.retention import BATCH, Retention
from common import database
from common.errors import Conflict, CwrkError, Forbidden, TooMany, Unauthenticated
from proto import auth_pb2
from tests.auth.conftest import Clock
from tests.auth.running import COST, PASSWORD, Caller, running_auth

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def db(auth_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(auth_database)
    yield connection
    await connection.close()


async def register(auth: Caller, email: str = "ann@example.org", invite: str = "") -> auth_pb2.Session:
    request = auth_pb2.RegisterRequest(email=email, display_name="Ann", password=PASSWORD, invite=invite)
    return await auth.call(auth.stub.Register, request)


async def login(auth: Caller, email: str = "ann@example.org", password: str = PASSWORD) -> auth_pb2.Session:
    return await auth.call(auth.stub.Login, auth_pb2.LoginRequest(email=email, password=password))


async def admin(database_url: str, keys_dir: Path, *words: str) -> tuple[int, str, str]:
    """`python -m auth admin …`: its status, what it said, what it complained of."""
    environ = {
        "DATABASE_URL": database_url,
        "AUTH_KEYS_DIR": str(keys_dir),
        "BCRYPT_COST": str(COST),
        "PUBLIC_URL": "https://study.example.org",
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "auth", "admin", *words],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


async def administrators(db: asyncpg.Connection) -> list[str]:
    rows = await db.fetch("SELECT email FROM auth.accounts WHERE administrator ORDER BY email")
    return [row["email"] for row in rows]


# --- the first account -----------------------------------------------------------------------------------


async def test_of_many_who_register_at_once_one_is_the_administrator(
    auth: Caller, db: asyncpg.Connection
) -> None:
    await asyncio.gather(*(register(auth, f"{n}@example.org") for n in range(10)))
    assert len(await administrators(db)) == 1


async def test_who_comes_after_the_first_one_left_is_no_administrator(
    auth: Caller, db: asyncpg.Connection
) -> None:
    first = await register(auth)
    await delete(auth, first)
    await register(auth, "bob@example.org")
    assert await administrators(db) == []


async def test_a_first_registration_that_fails_leaves_its_place(auth: Caller, db: asyncpg.Connection) -> None:
    await register(auth)
    await db.execute("UPDATE auth.installation SET claimed = false")
    with pytest.raises(Conflict):
        await register(auth)
    await register(auth, "bob@example.org")
    assert "bob@example.org" in await administrators(db)


# --- registration ----------------------------------------------------------------------------------------


async def test_closed_means_nobody_registers(auth_database: str, keys_dir: Path) -> None:
    async with running_auth(auth_database, keys_dir, registration="closed") as auth:
        with pytest.raises(Forbidden) as refused:
            await register(auth)
    assert refused.value.code == "REGISTRATION_CLOSED"


async def test_by_invite_only_as_many_as_it_says(auth_database: str, keys_dir: Path) -> None:
    status, said, _ = await admin(auth_database, keys_dir, "invite", "--uses", "3")
    assert status == 0
    link = said.splitlines()[0]
    assert link.startswith("https://study.example.org/login?invite=")
    code = link.partition("=")[2]
    async with running_auth(auth_database, keys_dir, registration="invite") as auth:
        for invite, expected in (("", "INVITE_NEEDED"), ("no such code", "INVITE_INVALID")):
            with pytest.raises(Forbidden) as refused:
                await register(auth, invite=invite)
            assert refused.value.code == expected
        answers = await asyncio.gather(
            *(register(auth, f"{n}@example.org", code) for n in range(10)), return_exceptions=True
        )
        assert sum(isinstance(answer, auth_pb2.Session) for answer in answers) == 3
        refused_codes = {answer.code for answer in answers if isinstance(answer, CwrkError)}
        assert refused_codes == {"INVITE_INVALID"}
        with pytest.raises(Forbidden) as refused:
            await register(auth, invite=code)
        assert refused.value.code == "INVITE_INVALID"


async def test_of_one_address_so_many_a_day_but_with_an_invite(auth_database: str, keys_dir: Path) -> None:
    async with running_auth(auth_database, keys_dir, registrations_address=2) as auth:
        for n in range(2):
            await register(auth, f"{n}@example.org")
        with pytest.raises(TooMany) as refused:
            await register(auth)
        assert refused.value.code == "TOO_MANY_ATTEMPTS"
    _, said, _ = await admin(auth_database, keys_dir, "invite", "--uses", "1")
    code = said.splitlines()[0].partition("=")[2]
    async with running_auth(auth_database, keys_dir, registrations_address=2, registration="invite") as auth:
        await register(auth, invite=code)


async def test_a_registration_that_fails_does_not_use_the_invite_up(
    auth_database: str, keys_dir: Path
) -> None:
    _, said, _ = await admin(auth_database, keys_dir, "invite", "--uses", "2")
    code = said.splitlines()[0].partition("=")[2]
    async with running_auth(auth_database, keys_dir, registration="invite") as auth:
        await register(auth, invite=code)
        with pytest.raises(Conflict):
            await register(auth, invite=code)
        await register(auth, "bob@example.org", code)


async def test_an_invite_ends(auth_database: str, keys_dir: Path, db: asyncpg.Connection) -> None:
    _, said, _ = await admin(auth_database, keys_dir, "invite", "--days", "2")
    left = await db.fetchval("SELECT expires_at - now() FROM auth.invites")
    assert timedelta(days=2) - timedelta(minutes=1) < left <= timedelta(days=2)
    await db.execute("UPDATE auth.invites SET expires_at = now()")
    async with running_auth(auth_database, keys_dir, registration="invite") as auth:
        with pytest.raises(Forbidden) as refused:
            await register(auth, invite=said.splitlines()[0].partition("=")[2])
    assert refused.value.code == "INVITE_INVALID"


async def test_an_invite_is_kept_as_its_digest(
    auth_database: str, keys_dir: Path, db: asyncpg.Connection
) -> None:
    _, said, _ = await admin(auth_database, keys_dir, "invite")
    code = said.splitlines()[0].partition("=")[2]
    assert len(code) >= 22
    assert code not in await db.fetchval("SELECT i::text FROM auth.invites i")


# --- the operator ----------------------------------------------------------------------------------------


async def test_a_disabled_account_is_told_so_only_after_the_right_password(
    auth: Caller, auth_database: str, keys_dir: Path
) -> None:
    session = await register(auth)
    status, said, _ = await admin(auth_database, keys_dir, "disable", "ANN@example.org")
    assert (status, said) == (0, "The account of ANN@example.org is disabled, and its sessions have ended.")

    with pytest.raises(Forbidden) as refused:
        await login(auth)
    assert refused.value.code == "ACCOUNT_DISABLED"
    with pytest.raises(Unauthenticated) as wrong:
        await login(auth, password="wrong password")
    assert wrong.value.code == "INVALID_CREDENTIALS"
    with pytest.raises(CwrkError):
        await auth.call(
            auth.stub.Refresh, auth_pb2.RefreshRequest(refresh_token=session.tokens.refresh_token)
        )
    with pytest.raises(Unauthenticated):
        await auth.call(auth.stub.Me, auth_pb2.MeRequest(), user_token=session.tokens.access_token)

    assert (await admin(auth_database, keys_dir, "enable", "ann@example.org"))[0] == 0
    await login(auth)


async def test_a_session_of_a_disabled_account_is_not_renewed_even_if_it_was_opened_meanwhile(
    auth: Caller, db: asyncpg.Connection
) -> None:
    session = await register(auth)
    await db.execute("UPDATE auth.accounts SET disabled_at = now()")
    with pytest.raises(Forbidden) as refused:
        await auth.call(
            auth.stub.Refresh, auth_pb2.RefreshRequest(refresh_token=session.tokens.refresh_token)
        )
    assert refused.value.code == "ACCOUNT_DISABLED"


async def test_disabling_and_deleting_are_told_to_those_who_trust_tokens(
    auth: Caller, auth_database: str, keys_dir: Path, db: asyncpg.Connection
) -> None:
    await register(auth)
    bob = await register(auth, "bob@example.org")
    await admin(auth_database, keys_dir, "disable", "ann@example.org")
    await admin(auth_database, keys_dir, "delete", "bob@example.org")
    rows = await db.fetch(
        "SELECT session_id IS NOT NULL AS one, deleted_user_id FROM auth.revocations ORDER BY id"
    )
    assert (True, None) in [tuple(row) for row in rows]
    assert (False, bob.user.id) in [tuple(row) for row in rows]


async def test_the_operator_adds_an_administrator_who_has_an_account(
    auth: Caller, auth_database: str, keys_dir: Path, db: asyncpg.Connection
) -> None:
    await register(auth)
    await register(auth, "bob@example.org")
    status, said, _ = await admin(auth_database, keys_dir, "add", "bob@example.org")
    assert (status, said) == (0, "bob@example.org is an administrator.")
    assert await administrators(db) == ["ann@example.org", "bob@example.org"]


async def test_the_operator_adds_an_administrator_who_chooses_a_password_by_the_link(
    auth: Caller, auth_database: str, keys_dir: Path, db: asyncpg.Connection
) -> None:
    status, said, _ = await admin(auth_database, keys_dir, "add", "ann@example.org")
    assert status == 0
    with pytest.raises(Unauthenticated):
        await login(auth)
    token = said.rpartition("https://study.example.org/reset#token=")[2]
    await auth.call(auth.stub.ResetPassword, auth_pb2.ResetPasswordRequest(token=token, password=PASSWORD))
    await login(auth)
    await register(auth, "bob@example.org")  # is not the first
    assert await administrators(db) == ["ann@example.org"]


async def test_the_operators_list(auth: Caller, auth_database: str, keys_dir: Path) -> None:
    assert (await admin(auth_database, keys_dir, "list"))[1] == "Nobody has an account yet."
    await register(auth)
    await register(auth, "bob@example.org")
    await admin(auth_database, keys_dir, "disable", "bob@example.org")
    _, said, _ = await admin(auth_database, keys_dir, "list")
    first, second = (line.split("\t") for line in said.splitlines())
    assert (first[1], first[4]) == ("ann@example.org", "administrator")
    assert (second[1], second[4]) == ("bob@example.org", "disabled")


@pytest.mark.parametrize(
    ("words", "status"),
    [(["disable", "nobody@example.org"], 1), (["add", "nobody"], 1), (["invite", "--uses", "0"], 2), ([], 2)],
)
async def test_what_cannot_be_done_is_a_sentence(
    auth_database: str, keys_dir: Path, words: list[str], status: int
) -> None:
    done, said, complaint = await admin(auth_database, keys_dir, *words)
    assert (done, said) == (status, "")
    assert complaint
    assert "Traceback" not in complaint


# --- leaving ---------------------------------------------------------------------------------------------


async def delete(auth: Caller, session: auth_pb2.Session, password: str = PASSWORD) -> None:
    request = auth_pb2.DeleteMeRequest(password=password)
    await auth.call(auth.stub.DeleteMe, request, user_token=session.tokens.access_token)


async def test_deleting_ones_account_wants_the_password_again(auth: Caller) -> None:
    session = await register(auth)
    with pytest.raises(Forbidden) as refused:
        await delete(auth, session, "wrong password")
    assert refused.value.code == "PASSWORD_WRONG"
    await login(auth)


async def test_of_a_deleted_account_nothing_is_left_but_its_number(
    auth: Caller, db: asyncpg.Connection
) -> None:
    session = await register(auth)
    await login(auth)
    await delete(auth, session)
    with pytest.raises(Unauthenticated):
        await login(auth)
    with pytest.raises(Unauthenticated):
        await auth.call(
            auth.stub.Refresh, auth_pb2.RefreshRequest(refresh_token=session.tokens.refresh_token)
        )
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'auth'")
    for (table,) in tables:
        rows = await db.fetch(f"SELECT t::text FROM auth.{table} t")
        assert all("ann@example.org" not in row[0] and "Ann" not in row[0] for row in rows), table
    assert await db.fetchval("SELECT count(*) FROM auth.sessions") == 0
    deleted = await db.fetchval("SELECT deleted_user_id FROM auth.revocations WHERE deleted_user_id > 0")
    assert deleted == session.user.id
    assert (await register(auth)).user.id > session.user.id  # the same address later is somebody else


async def test_an_ended_session_deletes_nothing(auth: Caller) -> None:
    session = await register(auth)
    await auth.call(auth.stub.Logout, auth_pb2.LogoutRequest(), user_token=session.tokens.access_token)
    with pytest.raises(Unauthenticated):
        await delete(auth, session)
    await login(auth)


# --- forgetting ------------------------------------------------------------------------------------------


async def test_sessions_are_forgotten_so_long_after_their_end(
    auth: Caller, auth_database: str, db: asyncpg.Connection
) -> None:
    await register(auth)
    for _ in range(3):
        await login(auth)
    ids = [row["id"] for row in await db.fetch("SELECT id FROM auth.sessions ORDER BY created_at, id")]
    await db.execute("UPDATE auth.sessions SET revoked_at = now() - interval '31 days' WHERE id = $1", ids[0])
    await db.execute("UPDATE auth.sessions SET revoked_at = now() - interval '29 days' WHERE id = $1", ids[1])
    await db.execute(
        "UPDATE auth.sessions SET idle_expires_at = now() - interval '31 days' WHERE id = $1", ids[2]
    )
    async with database.connect(auth_database) as opened:
        attempts = Attempts(opened)
        await Retention(opened, attempts, None).sweep()
        assert await db.fetchval("SELECT count(*) FROM auth.sessions") == 4
        await Retention(opened, attempts, timedelta(days=30)).sweep()
    left = {row["id"] for row in await db.fetch("SELECT id FROM auth.sessions")}
    assert left == {ids[1], ids[3]}


async def test_links_and_invites_that_hold_no_more_are_forgotten(
    auth: Caller, auth_database: str, db: asyncpg.Connection
) -> None:
    session = await register(auth)
    await db.execute(
        "INSERT INTO auth.mail_tokens SELECT int4send(n), $1, 'verify', now() - interval '1 s'"
        " FROM generate_series(1, $2) n",
        session.user.id,
        BATCH + 1,
    )
    for name, uses, ends in (("a", 0, "1 day"), ("b", 1, "-1 day"), ("c", 1, "1 day")):
        await db.execute(
            "INSERT INTO auth.invites VALUES ($1, $2, now() + $3::text::interval, now())",
            name.encode(),
            uses,
            ends,
        )
    clock = Clock()
    async with database.connect(auth_database) as opened:
        await Retention(opened, Attempts(opened), None, now=clock).sweep()
    assert await db.fetchval("SELECT count(*) FROM auth.mail_tokens") == 0
    assert await db.fetchval("SELECT array_agg(hash) FROM auth.invites") == [b"c"]
