"""Password hashes: every byte counts, spelling variants do not, and the queue is bounded."""

import asyncio
import threading
import unicodedata
from collections.abc import AsyncIterator

import bcrypt
import pytest

from auth import fields
from auth.passwords import Passwords, digest
from common.errors import Unavailable
from tests.auth.running import COST


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    async with Passwords(cost=COST, threads=2, queue=2) as pool:
        yield pool


async def test_a_hash_knows_its_password_and_no_other(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("h1$2b$04$")
    assert await passwords.verify("correct horse", stored)
    assert not await passwords.verify("correct horsf", stored)
    assert not await passwords.verify("", stored)


async def test_two_hashes_of_one_password_differ(passwords: Passwords) -> None:
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


async def test_passwords_that_differ_only_after_byte_72_are_different(passwords: Passwords) -> None:
    stored = await passwords.hash("a" * 72 + "b")
    assert not await passwords.verify("a" * 72 + "c", stored)
    assert not await passwords.verify("a" * 72, stored)


async def test_a_zero_byte_does_not_end_a_password(passwords: Passwords) -> None:
    stored = await passwords.hash("correct\0horse")
    assert not await passwords.verify("correct\0house", stored)


async def test_one_password_typed_on_two_keyboards_is_one(passwords: Passwords) -> None:
    composed, decomposed = (unicodedata.normalize(form, "пароль Й é") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert await passwords.verify(decomposed, await passwords.hash(composed))
    assert digest("two words") == digest("two\u00a0words")
    # Compatibility characters stay apart (NFC, not NFKC): a password is no looser than it was typed.
    assert digest("ﬁve hundred") != digest("five hundred")


async def test_without_an_account_the_answer_is_no_whatever_the_hash_says(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not await passwords.verify("correct horse", None)
    monkeypatch.setattr(bcrypt, "checkpw", lambda _password, _against: True)
    assert not await passwords.verify("correct horse", None)


def test_what_a_new_password_may_be() -> None:
    for good in ("12345678", "пароль12", "🔑" * 8, "x" * 1024, " " * 8):
        assert fields.new_password(good) == good
    for bad in ("", "1234567", "e\u0301" * 7, "x" * 1025, "й" * 513):
        with pytest.raises(fields.Wrong):
            fields.new_password(bad)


async def test_when_the_queue_is_full_the_next_is_told_at_once(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads and two places: the fifth is refused, and those who waited get their answer."""
    release = threading.Event()

    def slow(_password: bytes, _against: bytes) -> bool:
        return release.wait(10)

    monkeypatch.setattr(bcrypt, "checkpw", slow)
    waiting = [asyncio.ensure_future(passwords.verify("x", "h1")) for _ in range(4)]
    await asyncio.sleep(0)  # each has taken its place
    with pytest.raises(Unavailable) as refused:
        await passwords.verify("x", "h1")
    assert (refused.value.code, refused.value.retry_after) == ("PASSWORDS_BUSY", 1.0)

    release.set()
    assert await asyncio.gather(*waiting) == [True] * 4
    assert await passwords.verify("x", "h1")


async def test_who_gives_up_waiting_is_not_hashed_and_frees_the_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release, begun = threading.Event(), threading.Semaphore(0)
    hashed: list[bytes] = []

    def slow(_password: bytes, against: bytes) -> bool:
        hashed.append(against)
        begun.release()
        return release.wait(10)

    monkeypatch.setattr(bcrypt, "checkpw", slow)
    async with Passwords(cost=COST, threads=1, queue=1) as passwords:
        running = asyncio.ensure_future(passwords.verify("x", "h1running"))
        await asyncio.to_thread(begun.acquire)
        gone = asyncio.ensure_future(passwords.verify("x", "h1gone"))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        patient = asyncio.ensure_future(passwords.verify("x", "h1patient"))
        await asyncio.sleep(0)
        release.set()
        assert await running
        assert await patient
    assert hashed == [b"running", b"patient"]


async def test_the_loop_runs_on_while_a_password_is_hashed() -> None:
    """A dear hash takes as long as hundreds of turns of the loop."""
    async with Passwords(cost=10, threads=1, queue=0) as passwords:
        hashing = asyncio.ensure_future(passwords.hash("correct horse"))
        turns = 0
        while not hashing.done():
            turns += 1
            await asyncio.sleep(0)
    assert turns > 100
