"""Requests that are no HTTP, which never reach a route: answered as problems, logged without their bytes.

aiohttp answers these in plain text that repeats a part of what was sent, and logs
a stack trace with it: a stranger could fill the log, and a token in a broken URL
would stand in it. It has no setting for that, so three private names of its
runner are used here and nowhere else; tests/gateway/test_unreadable.py notices
when they change.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from aiohttp import web

from common import log, problems
from common.errors import Internal, Malformed
from common.headers import protect

logger = log.get("unreadable")


class Handler(web.RequestHandler):
    """One connection."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer where there was no request to handle, or handling it failed beyond our middleware."""
        request_id = uuid4().hex
        if status == 400:
            reason = type(exc).__name__ if exc else "unknown"
            logger.info("unreadable request", address=request.remote, reason=reason, request_id=request_id)
            answer = problems.of_error(Malformed("This is not a request that we can read."), request_id)
        else:
            logger.error("unexpected error", exc_info=exc, request_id=request_id)
            answer = problems.of_error(Internal("Something went wrong on our side."), request_id)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        protect(answer, request_id)
        answer.force_close()
        return answer


class Server(web.Server):
    def __call__(self) -> Handler:
        return Handler(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """An AppRunner whose connections are `Handler`s."""

    async def _make_server(self) -> web.Server:
        server: Any = await super()._make_server()
        server.__class__ = Server
        return server  # type: ignore[no-any-return]
