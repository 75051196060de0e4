"""The routes of what was said in a room: the messages for people, the log's events for programs."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from common import rpc
from common.tokens import Identity
from gateway import bodies
from gateway.answers import json_answer
from gateway.rooms import room_id
from proto import rooms_pb2, rooms_pb2_grpc


class Chat:
    def __init__(self, rooms: rpc.Client) -> None:
        self._rooms = rooms
        self._stub = rooms_pb2_grpc.RoomsStub(rooms.channel)

    async def list(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.ListChatRequest(
            room_id=room_id(request),
            after=bodies.query_text(request, "after"),
            limit=bodies.query_limit(request),
            query=bodies.query_text(request, "q"),
        )
        page = await self._rooms.call(self._stub.ListChat, message, user_token=identity.token)
        return json_answer(
            {"items": [_chat_item(item) for item in page.items], "next_cursor": page.next_cursor or None}
        )

    async def events(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.ListEventsRequest(
            room_id=room_id(request),
            since_seq=bodies.query_number(request, "since_seq"),
            limit=bodies.query_limit(request),
        )
        log = await self._rooms.call(self._stub.ListEvents, message, user_token=identity.token)
        # The frames are JSON already, and to read them only to write them again is work for nothing.
        rest = {"last_seq": log.last_seq, "epoch": log.epoch, "complete": log.complete}
        body = b'{"items":[' + b",".join(log.frames) + b"]," + json.dumps(rest).encode()[1:]
        return web.Response(body=body, content_type="application/json", charset="utf-8")


def _chat_item(item: rooms_pb2.ChatItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "room_id": item.room_id,
        "user_id": item.user_id,
        "display_name": item.display_name,
        "text": item.text,
        "created_at": item.created_at,
        "reply_to": item.reply_to or None,
        "seq": item.seq,
        "edited_at": item.edited_at or None,
        "deleted": item.deleted,
        "reactions": [
            {"emoji": reactions.emoji, "user_ids": [*reactions.user_ids]} for reactions in item.reactions
        ],
    }
