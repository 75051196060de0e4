"""Ending a session, through real processes: refused by REST and closed on the websocket, whatever is away."""

import asyncio

import aiohttp
import pytest

from tests import services
from tests.integration.conftest import NewStudent
from tests.integration.student import PASSWORD, Student

PATIENCE = 10.0  # how quick it is, is measured elsewhere: here a test that waits longer has failed


async def code_of(student: Student, method: str, path: str, token: str = "") -> tuple[int, str]:
    """Status of an answer, and the code of a refusal."""
    headers = {"Authorization": f"Bearer {token or student.token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, student.url + path, headers=headers) as answer,
    ):
        body = await answer.json(content_type=None) if answer.status >= 400 else {}
        return answer.status, body.get("code", "")


async def other_device(student: Student) -> str:
    """Logs in once more; the access token."""
    body = {"email": student.email, "password": PASSWORD}
    return str((await student.post("/auth/login", body))["accessToken"])


async def until_refused(student: Student, token: str = "") -> None:
    """Ask until it is refused, which nobody tells a client beforehand."""
    async with asyncio.timeout(PATIENCE):
        while await code_of(student, "GET", "/rooms", token) != (401, "SESSION_ENDED"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_logging_out_closes_the_websocket_and_is_refused(student: NewStudent) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Log out")
    async with boris.in_room(room), anna.in_room(room):
        assert await code_of(anna, "POST", "/auth/logout") == (204, "")
        async with asyncio.timeout(PATIENCE):
            await anna.closed.wait()
            assert anna.close_code == 4001
            await until_refused(anna)
        await boris.say("still here", "1")


async def test_logging_out_everywhere_from_another_device(student: NewStudent) -> None:
    anna = await student("Anna")
    room = await anna.create_room("Everywhere")
    async with anna.in_room(room):
        phone = await other_device(anna)
        assert len((await anna.get("/auth/sessions"))["items"]) == 2
        assert await code_of(anna, "DELETE", "/auth/sessions", phone) == (204, "")
        async with asyncio.timeout(PATIENCE):
            await anna.closed.wait()
            await until_refused(anna)
            await until_refused(anna, phone)


async def test_without_redis_all_the_same(chain: services.Stack, student: NewStudent) -> None:
    """In truth at once: revocations come by gRPC from PostgreSQL, and Redis has no part in it."""
    anna = await student("Anna")
    room = await anna.create_room("No Redis")
    async with anna.in_room(room):
        chain.cache.kill()
        try:
            assert await code_of(anna, "POST", "/auth/logout") == (204, "")
            async with asyncio.timeout(PATIENCE):
                await anna.closed.wait()
                await until_refused(anna)
        finally:
            chain.cache.start()


async def test_while_auth_is_away_what_is_known_holds_and_everybody_else_goes_on(
    chain: services.Stack, student: NewStudent
) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await boris.create_room("No auth")
    async with boris.in_room(room):
        assert await code_of(anna, "POST", "/auth/logout") == (204, "")
        await until_refused(anna)
        chain.kill("auth")
        try:
            assert await code_of(anna, "GET", "/rooms") == (401, "SESSION_ENDED")
            assert await code_of(boris, "GET", f"/rooms/{room}") == (200, "")
            await boris.say("auth is away", "1")
        finally:
            chain.start("auth")
            await asyncio.to_thread(chain.wait_until_ready)
        # Whoever was connected to the old process hears what the new one says.
        assert await code_of(boris, "POST", "/auth/logout") == (204, "")
        async with asyncio.timeout(PATIENCE):
            await boris.closed.wait()


@pytest.mark.parametrize("module", ["gateway", "rooms"])
async def test_who_starts_while_auth_is_away_serves_as_soon_as_it_is_back(
    chain: services.Stack, student: NewStudent, module: str
) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    assert await code_of(boris, "POST", "/auth/logout") == (204, "")
    await until_refused(boris)
    chain.kill("auth")
    chain.kill(module)
    chain.start(module)
    chain.start("auth")
    await asyncio.to_thread(chain.wait_until_ready)
    async with asyncio.timeout(PATIENCE):  # as long as it has not found auth again, it says so
        while (answer := await code_of(anna, "GET", "/rooms")) == (503, "AUTH_UNAVAILABLE"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert answer == (200, "")
    assert await code_of(boris, "GET", "/rooms") == (401, "SESSION_ENDED")
