"""REST: one request with its deadline, its token and its problem; and the tokens, renewed in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

from client.errors import FieldError, ProtocolError, Refused, SignedOut, Unreachable

RENEW_BEFORE_S = 60.0  # the token's end; or after four fifths of a short life
ENDS_A_SESSION = {400, 401, 403, 422}  # of a refresh
RETRYABLE = {408, 429, 502, 503, 504}


def segment(text: str) -> str:
    """Of a path."""
    return quote(text, safe="")


@dataclass
class Tokens:
    """`renew_at` is of the loop's clock, so that a wrong clock of the machine does no harm."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    renew_at: float

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Tokens:
        lifetime = float(body["expiresIn"])
        renew_in = lifetime - min(RENEW_BEFORE_S, lifetime / 5)
        return cls(body["accessToken"], body["refreshToken"], asyncio.get_running_loop().time() + renew_in)


class Rest:
    """Every answer within `deadline` seconds, or Unreachable. A refusal is Refused."""

    def __init__(self, http: aiohttp.ClientSession, url: str, deadline: float) -> None:
        self.http, self._url, self.deadline = http, url.rstrip("/"), deadline
        self.tokens: Tokens | None = None
        self._renewing: asyncio.Task[str] | None = None
        self._ws_url = ""

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's JSON, as the one who is logged in; None where there is none."""
        token = await self.access_token()
        for last in (False, True):
            try:
                return await self._ask(method, path, body, params, {**(headers or {}), **_bearer(token)})
            except Refused as refusal:
                # Before its time by our clock: this machine slept.
                if last or refusal.code != "TOKEN_EXPIRED":
                    raise
                token = await self.renew(token)
        raise AssertionError("the last try returns or raises")

    async def call_openly(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Without a token."""
        return await self._ask(method, path, body, None, {})

    async def ws_url(self) -> str:
        """Where the websocket is, as the server says."""
        if not self._ws_url:
            self._ws_url = str((await self.call_openly("GET", "/config.json"))["ws_url"])
        return self._ws_url

    # --- tokens

    async def access_token(self) -> str:
        """One that is good for a while yet. Raises SignedOut, Unreachable."""
        if self.tokens is None:
            raise SignedOut("log in first")
        if asyncio.get_running_loop().time() < self.tokens.renew_at:
            return self.tokens.access
        return await self.renew(self.tokens.access)

    async def renew(self, stale: str) -> str:
        """Another one in the place of `stale`. One renewal at a time: a refresh token is good once."""
        if self.tokens is None:
            raise SignedOut("log in first")
        if self.tokens.access == stale:
            if self._renewing is None:
                self._renewing = asyncio.create_task(self._renew(self.tokens))
                self._renewing.add_done_callback(self._renewed)
            return await asyncio.shield(self._renewing)  # who is cancelled takes nothing from the others
        return self.tokens.access

    def _renewed(self, task: asyncio.Task[str]) -> None:
        self._renewing = None
        if not task.cancelled():
            task.exception()  # whoever waited has heard of it

    async def _renew(self, old: Tokens) -> str:
        body = {"refreshToken": old.refresh}
        try:
            try:
                answer = await self.call_openly("POST", "/auth/refresh", body)
            except Unreachable:
                # The answer may have got lost; for ten seconds the same token gets it again.
                answer = await self.call_openly("POST", "/auth/refresh", body)
        except Refused as refusal:
            if refusal.status not in ENDS_A_SESSION:
                raise Unreachable(f"the token could not be renewed: {refusal}") from refusal
            self.tokens = None
            raise SignedOut(str(refusal)) from refusal
        self.tokens = Tokens.read(answer)
        return self.tokens.access

    # --- one request

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str | int | None] | None,
        headers: Mapping[str, str],
    ) -> Any:
        asked = self.http.request(
            method,
            self._url + path,
            json=body,
            params={name: value for name, value in (params or {}).items() if value is not None},
            headers=headers,
            allow_redirects=False,  # the token is for this server
        )
        try:
            async with asyncio.timeout(self.deadline), asked as answer:
                content = await answer.read()
        except TimeoutError:
            raise Unreachable(f"{method} {path}: no answer within {self.deadline:g} s") from None
        except (aiohttp.ClientError, OSError) as wrong:
            raise Unreachable(f"{method} {path}: {wrong}") from wrong
        try:
            said = json.loads(content) if content else None
        except ValueError as wrong:
            said = wrong
        if answer.status < 300 and not isinstance(said, ValueError):
            return said
        if answer.status < 300:
            raise ProtocolError(f"{method} {path}: the answer is no JSON. Is this the server's address?")
        raise _refusal(answer.status, said, answer.headers.get("Retry-After", ""))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _refusal(status: int, said: Any, retry_after: str) -> Refused:
    """Of a problem (RFC 9457); what stands before the server, a proxy, may say something else."""
    problem: Mapping[str, Any] = said if isinstance(said, dict) else {}
    return Refused(
        problem.get("code") or f"HTTP_{status}",
        problem.get("detail") or "the server gave no reason",
        status=status,
        retryable=status in RETRYABLE,
        retry_after=float(retry_after) if retry_after.isdecimal() else None,
        fields=tuple(FieldError(each["field"], each["message"]) for each in problem.get("errors", ())),
        request_id=problem.get("request_id", ""),
    )
