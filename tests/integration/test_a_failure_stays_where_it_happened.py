"""One part of the chain is killed while two people are in a room; the rest of their evening goes on."""

import asyncio

import aiohttp

from tests import services
from tests.integration.conftest import NewStudent


async def restart(chain: services.Stack, module: str) -> None:
    """What the supervisor does."""
    chain.start(module)
    await asyncio.to_thread(chain.wait_until_ready)


async def test_a_dead_worker_hurts_no_chat_and_an_offer_brings_the_voice_back(
    chain: services.Stack, student: NewStudent
) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Worker")
    async with anna.in_room(room), boris.in_room(room):
        await anna.speak_up()
        await boris.speak_up()
        assert await anna.is_heard_by(boris)
        chain.kill("media")
        try:
            assert (await anna.frame("voice_lost"))["voice_id"] == anna.voice_id
            await boris.frame("voice_lost")
            await anna.say("can you hear me?", "1")
            assert (await boris.frame("chat"))["message"] == "can you hear me?"
            await anna.send("offer", sdp=anna.voice.offer())
            refused = await anna.frame("error")
            assert (refused["code"], refused["retryable"]) == ("MEDIA_UNAVAILABLE", True)
        finally:
            await restart(chain, "media")
        await anna.speak_up()
        await boris.speak_up()
        assert await anna.is_heard_by(boris)


async def test_dead_rooms_hurt_no_voice_and_who_comes_back_finds_everything(
    chain: services.Stack, student: NewStudent
) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Rooms")
    async with anna.in_room(room), boris.in_room(room):
        await anna.speak_up()
        await boris.speak_up()
        await anna.say("one", "1")
        chain.kill("rooms")
        try:
            await anna.closed.wait()
            assert await anna.is_heard_by(boris)
            refused = await anna.get(f"/rooms/{room}", status=503)
            assert refused["code"] == "ROOMS_UNAVAILABLE"
        finally:
            await restart(chain, "rooms")
        async with anna.connected():
            await anna.send("voice_attach", voice_id=anna.voice_id)
            assert {slot["user_id"] for slot in (await anna.frame("slots"))["slots"]} == {boris.id, None}
            assert await anna.is_heard_by(boris)
            assert (await anna.say("one", "1"))["duplicate"]
            assert (await anna.say("two", "2"))["seq"] == 2


async def test_dead_auth_hurts_nobody_who_is_in(chain: services.Stack, student: NewStudent) -> None:
    anna = await student("Anna")
    room = await anna.create_room("Auth")
    async with anna.in_room(room):
        chain.kill("auth")
        try:
            assert (await anna.say("still here", "1"))["seq"] == 1
            assert (await anna.get(f"/rooms/{room}"))["name"] == "Auth"
            refused = await anna.post("/auth/refresh", {"refreshToken": "x"}, status=503)
            assert refused["code"] == "AUTH_UNAVAILABLE"
        finally:
            await restart(chain, "auth")


async def test_a_dead_database_saves_nothing_shows_nothing_and_comes_back(
    chain: services.Stack, student: NewStudent
) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Database")
    async with anna.in_room(room), boris.in_room(room):
        await anna.speak_up()
        await boris.speak_up()
        chain.database.stop()  # a killed one's backends may commit for a moment longer
        try:
            await anna.send("chat", message="lost?", client_msg_id="1")
            refused = await anna.frame("error")
            assert (refused["ref_id"], refused["retryable"]) == ("1", True), refused
            assert await anna.is_heard_by(boris)
            async with aiohttp.ClientSession() as http, http.get(f"{anna.url}/readyz") as answer:
                assert answer.status == 503
                missing = {error["field"] for error in (await answer.json(content_type=None))["errors"]}
            assert missing == {"auth", "rooms"}
        finally:
            chain.database.start()  # here, since it dies with the thread that starts it
            await asyncio.to_thread(chain.wait_until_ready)
        ack = await anna.say("lost?", "1")
        assert (ack["seq"], ack["duplicate"]) == (1, False)
        heard = await boris.frame("chat")
        assert (heard["message"], heard["seq"]) == ("lost?", 1)
        assert not anna.closed.is_set()


async def test_a_dead_cache_is_not_even_noticed(chain: services.Stack, student: NewStudent) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Cache")
    async with anna.in_room(room), boris.in_room(room):
        chain.cache.kill()
        try:
            await anna.say("no cache", "1")
            assert (await boris.frame("chat"))["message"] == "no cache"
        finally:
            chain.cache.start()
