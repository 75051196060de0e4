"""A page's websocket, led through the test: it can be cut, and messages refused as by a broken server."""

from __future__ import annotations

import json

from playwright.async_api import Page, WebSocketRoute

UNAVAILABLE = 4103
FAULT = {"code": "INTERNAL", "message": "Something went wrong.", "retryable": False}


class Tunnel:
    """Through it until it is cut; `refused` are the messages that the server is said not to have saved."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self._cut = False
        self._open: list[tuple[WebSocketRoute, WebSocketRoute]] = []
        self._dead: set[WebSocketRoute] = set()

    @classmethod
    async def under(cls, page: Page) -> Tunnel:
        """For the websockets that the page opens from now on."""
        tunnel = cls()
        await page.route_web_socket("**/ws/rooms/*", tunnel._dug)
        return tunnel

    async def cut(self) -> None:
        """As if the server were gone: what there is closes, and nothing opens."""
        self._cut = True
        for page, server in self._open:
            await page.close(code=UNAVAILABLE)
            await server.close()
        self._open.clear()

    def fall_silent(self) -> None:
        """What there is stays open and carries nothing any more, as where a phone has left its network."""
        self._dead.update(page for page, _ in self._open)

    def mend(self) -> None:
        self._cut = False

    async def _dug(self, page: WebSocketRoute) -> None:
        if self._cut:
            await page.close(code=UNAVAILABLE)
            return
        server = page.connect_to_server()
        self._open.append((page, server))

        def pass_on(raw: str | bytes) -> None:
            if page in self._dead:
                return
            frame = json.loads(raw)
            if frame["type"] == "chat" and frame["payload"]["message"] in self.refused:
                page.send(json.dumps({"type": "error", "payload": {**FAULT, "ref_id": frame["id"]}}))
            else:
                server.send(raw)

        page.on_message(pass_on)
        server.on_message(lambda raw: None if page in self._dead else page.send(raw))
