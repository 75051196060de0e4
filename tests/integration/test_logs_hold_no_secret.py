"""What the services log while people register, write, speak and fail to log in: nothing that opens a door."""

import asyncio

from tests import services
from tests.integration.conftest import NewStudent
from tests.integration.student import PASSWORD, PATIENCE


async def no_http(port: int, request: bytes) -> None:
    """Bytes that are no request, and waiting until they were refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request + b" HTTP/1.1\r\n\r\n")
    assert b" 400 " in await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()


async def test_no_invite_and_no_ticket(chain: services.Stack, student: NewStudent) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Private", visibility="private")
    code = (await anna.post(f"/rooms/{room}/invites", status=201))["code"]
    await boris.post(f"/invites/{code}/accept")
    await boris.post(f"/invites/%{ord(code[0]):02x}{code[1:]}/accept")  # the same, written otherwise
    await boris.call("PUT", f"/invites/{code}", status=404)
    await boris.call("PUT", f"/invites/{code}/accept", status=405)
    await anna.call("DELETE", f"/rooms/{room}/invites/{code}", status=204)
    ticket = (await boris.post(f"/rooms/{room}/tickets", status=201))["ticket"]
    logs = chain.logs()
    assert f"path=/rooms/{room}/invites/{{code}} " in logs
    assert "path=/invites/{code}/accept " in logs
    assert [secret for secret in (code, code[1:], ticket) if secret in logs] == []


async def test_no_token_no_password_and_no_sdp(chain: services.Stack, student: NewStudent) -> None:
    anna = await student("Anna")
    room = await anna.create_room("Secrets")
    async with anna.in_room(room):
        await anna.speak_up()
        await anna.say("a private word", "1")
        await anna.send("offer", sdp="v=0 nonsense")
        assert (await anna.frame("error"))["code"]
    await anna.post("/auth/login", {"email": anna.email, "password": PASSWORD + "!"}, status=401)
    await anna.post("/auth/login", {"email": anna.email, "password": PASSWORD})
    await anna.get("/rooms?access_token=in-the-wrong-place")
    for url in (chain.url, chain.ws_url):
        await no_http(int(url.rpartition(":")[2]), f"GET /ws/rooms/x?access_token={anna.token}\x01".encode())

    logs = chain.logs()
    assert room in logs, "nothing was logged at all"
    secrets = [anna.token, PASSWORD, "a private word", "ice-pwd", "v=0", "in-the-wrong-place", "Bearer ey"]
    secrets += [chain.database.password, chain.env["SERVICE_TOKEN"]]
    assert [secret for secret in secrets if secret in logs] == []
