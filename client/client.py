"""The way in: an account and its rooms."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any, Self

import aiohttp

from client.errors import ClientError
from client.models import Position, RoomInfo, User
from client.rest import Rest, Tokens, segment
from client.room import Room

ENTER_S = 30.0


class Client:
    """`async with Client("http://localhost:8080") as client: await client.login(email, password)`.

    `url` is the page's address. Each request is answered within `deadline` seconds, or raises Unreachable.
    The session that login or register opened ends with the client.
    """

    def __init__(self, url: str, *, deadline: float = 10.0) -> None:
        self._url, self._deadline = url, deadline
        self._rest: Rest | None = None
        self._user: User | None = None

    async def __aenter__(self) -> Self:
        # Cookies play no part; the deadline of a request is ours, and a websocket has none.
        http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None), cookie_jar=aiohttp.DummyCookieJar())
        self._rest = Rest(http, self._url, self._deadline)
        return self

    async def __aexit__(self, *_: object) -> None:
        rest, self._rest = self.rest, None
        try:
            if rest.tokens is not None:
                with contextlib.suppress(ClientError):
                    await rest.call("POST", "/auth/logout")
        finally:
            await rest.http.close()

    @property
    def rest(self) -> Rest:
        """For what has no method here: `await client.rest.call("GET", "/auth/sessions")`."""
        if self._rest is None:
            raise RuntimeError("the client is closed: `async with Client(…) as client`")
        return self._rest

    # --- the account

    @property
    def user(self) -> User:
        """Who one is. There is one after `login` or `register`."""
        if self._user is None:
            raise RuntimeError("log in first: `await client.login(…)`")
        return self._user

    async def login(self, email: str, password: str) -> User:
        """Raises Refused: `INVALID_CREDENTIALS`, `TOO_MANY_ATTEMPTS`, `ACCOUNT_DISABLED`."""
        return self._signed_in(
            await self.rest.call_openly("POST", "/auth/login", {"email": email, "password": password})
        )

    async def register(
        self, email: str, display_name: str, password: str, *, invite: str | None = None
    ) -> User:
        """Raises Refused: `EMAIL_TAKEN`, `INVITE_NEEDED`, …; `fields` says what is wrong."""
        body = {"email": email, "displayName": display_name, "password": password}
        body |= {"invite": invite} if invite else {}
        return self._signed_in(await self.rest.call_openly("POST", "/auth/register", body))

    def _signed_in(self, body: Any) -> User:
        self.rest.tokens = Tokens.read(body)
        self._user = User.read(body["user"])
        return self._user

    # --- rooms

    async def rooms(self, *, search: str | None = None, limit: int = 100) -> list[RoomInfo]:
        """The newest of the public rooms and one's own, at most `limit`."""
        found: list[RoomInfo] = []
        cursor: str | None = None
        while len(found) < limit:
            page = await self.rest.call(
                "GET", "/rooms", params={"q": search, "limit": min(limit, 100), "cursor": cursor}
            )
            found += map(RoomInfo.read, page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                break
        return found[:limit]

    async def create_room(
        self, name: str, *, max_participants: int = 10, topic: str = "", visibility: str = "public"
    ) -> RoomInfo:
        """A room of one's own; there is one, however often its answer gets lost."""
        body = {"name": name, "max": max_participants, "topic": topic, "visibility": visibility}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return RoomInfo.read(await self.rest.call("POST", "/rooms", body, headers=headers))

    async def accept_invite(self, code: str) -> RoomInfo:
        """`code` is the end of an invite's link. One is a member of that room then."""
        return RoomInfo.read(await self.rest.call("POST", f"/invites/{segment(code)}/accept"))

    async def get_room(self, room_id: str) -> RoomInfo:
        return RoomInfo.read(await self.rest.call("GET", f"/rooms/{segment(room_id)}"))

    def room(self, room_id: str, *, since: Position | None = None) -> Room:
        """To be entered: `async with client.room(room_id) as room`.

        `since`: the `room.position` of when one was here last; what happened meanwhile comes first.
        """
        return Room(self.rest, room_id, since, ENTER_S)
