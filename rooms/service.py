"""cwrk.rooms.v1.Rooms: each call is checked, done in the tables, told to the hub, answered."""

from __future__ import annotations

from uuid import UUID

import structlog

from common import rpc
from common.tokens import Identity, Verifier
from proto import rooms_pb2, rooms_pb2_grpc
from rooms import answers, requests
from rooms.core.rights import check_member
from rooms.cursors import Cursors
from rooms.examination import Examination
from rooms.hub import Hub
from rooms.requests import room_id_of
from rooms.tables.store import Store
from rooms.tables.tickets import Tickets

NAME = "cwrk.rooms.v1.Rooms"

MAX_EVENTS = 500


class RoomsService(rooms_pb2_grpc.RoomsServicer):
    """Every method verifies the user's token first. rooms/requests.py reads, rooms/answers.py writes."""

    def __init__(
        self, store: Store, hub: Hub, verifier: Verifier, cursors: Cursors, tickets: Tickets
    ) -> None:
        self._examination = Examination()
        self._store = store
        self._hub = hub
        self._verifier = verifier
        self._cursors = cursors
        self._tickets = tickets

    async def _who(self, context: rpc.Context) -> Identity:
        identity = await self._verifier.verify(rpc.user_token(context))
        structlog.contextvars.bind_contextvars(user_id=identity.user_id)
        return identity

    # --- rooms ------------------------------------------------------------------------------------------

    async def CreateRoom(  # noqa: N802
        self, request: rooms_pb2.CreateRoomRequest, context: rpc.Context
    ) -> rooms_pb2.Room:
        identity = await self._who(context)
        new = requests.new_room(request)
        return answers.room(
            await self._store.create(
                identity,
                name=new.name,
                topic=new.topic,
                visibility=new.visibility,
                max_participants=new.max_participants,
                key=new.key,
            )
        )

    async def ListRooms(  # noqa: N802
        self, request: rooms_pb2.ListRoomsRequest, context: rpc.Context
    ) -> rooms_pb2.ListRoomsResponse:
        identity = await self._who(context)
        limit, query = requests.limit(request.limit), requests.query("q", request.query)
        scope = f"rooms {identity.user_id} {query}"
        before = UUID(self._cursors.open(scope, request.cursor)) if request.cursor else None
        found = await self._store.list_rooms(identity.user_id, query=query, before=before, limit=limit + 1)
        page = found[:limit]
        cursor = self._cursors.seal(scope, str(page[-1].id)) if len(found) > limit else ""
        return rooms_pb2.ListRoomsResponse(items=map(answers.room, page), next_cursor=cursor)

    async def GetRoom(  # noqa: N802
        self, request: rooms_pb2.GetRoomRequest, context: rpc.Context
    ) -> rooms_pb2.Room:
        identity = await self._who(context)
        return answers.room(await self._store.room(room_id_of(request.room_id), identity.user_id))

    async def UpdateRoom(  # noqa: N802
        self, request: rooms_pb2.UpdateRoomRequest, context: rpc.Context
    ) -> rooms_pb2.Room:
        identity, room_id = await self._who(context), room_id_of(request.room_id)
        settings, new_owner = requests.settings(request)
        room = await self._hub.change(
            str(room_id),
            identity.user_id,
            lambda: self._store.update(room_id, identity.user_id, settings, new_owner),
        )
        return answers.room(room)

    async def DeleteRoom(  # noqa: N802
        self, request: rooms_pb2.DeleteRoomRequest, context: rpc.Context
    ) -> rooms_pb2.DeleteRoomResponse:
        identity = await self._who(context)
        await self._hub.delete(str(room_id_of(request.room_id)), identity.user_id)
        return rooms_pb2.DeleteRoomResponse()

    # --- people -----------------------------------------------------------------------------------------

    async def JoinRoom(  # noqa: N802
        self, request: rooms_pb2.JoinRoomRequest, context: rpc.Context
    ) -> rooms_pb2.JoinRoomResponse:
        identity = await self._who(context)
        room_id = room_id_of(request.room_id)
        await self._hub.join(str(room_id), identity)
        return rooms_pb2.JoinRoomResponse(room_id=str(room_id), peer_id=str(identity.user_id))

    async def LeaveRoom(  # noqa: N802
        self, request: rooms_pb2.LeaveRoomRequest, context: rpc.Context
    ) -> rooms_pb2.LeaveRoomResponse:
        identity = await self._who(context)
        await self._hub.leave(str(room_id_of(request.room_id)), identity.user_id)
        return rooms_pb2.LeaveRoomResponse(status="left")

    async def ListParticipants(  # noqa: N802
        self, request: rooms_pb2.ListParticipantsRequest, context: rpc.Context
    ) -> rooms_pb2.ListParticipantsResponse:
        identity = await self._who(context)
        seats = await self._store.members.seats(room_id_of(request.room_id), identity.user_id)
        return rooms_pb2.ListParticipantsResponse(items=map(answers.participant, seats))

    async def Moderate(  # noqa: N802
        self, request: rooms_pb2.ModerateRequest, context: rpc.Context
    ) -> rooms_pb2.ModerateResponse:
        identity, room_id = await self._who(context), room_id_of(request.room_id)
        ruling = await self._hub.moderate(str(room_id), identity.user_id, requests.ruling(request))
        return rooms_pb2.ModerateResponse(seq=ruling.seq)

    async def ListBans(  # noqa: N802
        self, request: rooms_pb2.ListBansRequest, context: rpc.Context
    ) -> rooms_pb2.ListBansResponse:
        identity = await self._who(context)
        bans = await self._store.moderation.bans(room_id_of(request.room_id), identity.user_id)
        return rooms_pb2.ListBansResponse(items=map(answers.ban, bans))

    # --- invites and tickets ----------------------------------------------------------------------------

    async def CreateInvite(  # noqa: N802
        self, request: rooms_pb2.CreateInviteRequest, context: rpc.Context
    ) -> rooms_pb2.Invite:
        identity, room_id = await self._who(context), room_id_of(request.room_id)
        expires_in, max_uses = requests.new_invite(request)
        return answers.invite(
            await self._store.invites.create(
                room_id, identity.user_id, expires_in=expires_in, max_uses=max_uses
            )
        )

    async def ListInvites(  # noqa: N802
        self, request: rooms_pb2.ListInvitesRequest, context: rpc.Context
    ) -> rooms_pb2.ListInvitesResponse:
        identity = await self._who(context)
        invites = await self._store.invites.list_open(room_id_of(request.room_id), identity.user_id)
        return rooms_pb2.ListInvitesResponse(items=map(answers.invite, invites))

    async def RevokeInvite(  # noqa: N802
        self, request: rooms_pb2.RevokeInviteRequest, context: rpc.Context
    ) -> rooms_pb2.RevokeInviteResponse:
        identity = await self._who(context)
        await self._store.invites.revoke(room_id_of(request.room_id), identity.user_id, request.code)
        return rooms_pb2.RevokeInviteResponse()

    async def AcceptInvite(  # noqa: N802
        self, request: rooms_pb2.AcceptInviteRequest, context: rpc.Context
    ) -> rooms_pb2.Room:
        identity = await self._who(context)
        return answers.room(await self._store.invites.accept(request.code, identity))

    async def CreateTicket(  # noqa: N802
        self, request: rooms_pb2.CreateTicketRequest, context: rpc.Context
    ) -> rooms_pb2.Ticket:
        identity = await self._who(context)
        return answers.ticket(await self._tickets.create(room_id_of(request.room_id), identity))

    # --- the timer --------------------------------------------------------------------------------------

    async def GetTimer(  # noqa: N802
        self, request: rooms_pb2.GetTimerRequest, context: rpc.Context
    ) -> rooms_pb2.Timer:
        identity = await self._who(context)
        return answers.timer(await self._store.timers.get(room_id_of(request.room_id), identity.user_id))

    async def SetTimer(  # noqa: N802
        self, request: rooms_pb2.SetTimerRequest, context: rpc.Context
    ) -> rooms_pb2.Timer:
        identity, room_id = await self._who(context), room_id_of(request.room_id)
        wish = requests.timer_wish(request)
        timer = await self._hub.change(
            str(room_id), identity.user_id, lambda: self._store.timers.set(room_id, identity.user_id, wish)
        )
        return answers.timer(timer)

    # --- the log ----------------------------------------------------------------------------------------

    async def ListChat(  # noqa: N802
        self, request: rooms_pb2.ListChatRequest, context: rpc.Context
    ) -> rooms_pb2.ListChatResponse:
        identity = await self._who(context)
        room_id, limit = room_id_of(request.room_id), requests.limit(request.limit)
        query = requests.query("q", request.query)
        scope = f"chat {room_id} {query}" if query else f"chat {room_id}"
        before = int(self._cursors.open(scope, request.after)) if request.after else None
        found = await self._store.messages.page(
            room_id, identity.user_id, before=before, limit=limit + 1, query=query
        )
        items = answers.chat(str(room_id), found[:limit])
        cursor = self._cursors.seal(scope, str(items[-1].seq)) if len(found) > len(items) else ""
        return rooms_pb2.ListChatResponse(items=items, next_cursor=cursor)

    async def ListEvents(  # noqa: N802
        self, request: rooms_pb2.ListEventsRequest, context: rpc.Context
    ) -> rooms_pb2.ListEventsResponse:
        identity, room_id = await self._who(context), room_id_of(request.room_id)
        limit = requests.limit(request.limit, MAX_EVENTS)
        since_seq = requests.since_seq(request.since_seq)
        check_member((await self._store.room(room_id, identity.user_id)).role)
        # Where the log stands first: what it held then and does not give now is forgotten.
        standing = await self._hub.presence.standing(str(room_id))
        events = await self._hub.log.history.after(str(room_id), since_seq, limit)
        return answers.events(str(room_id), events, since_seq, standing.last_seq, standing.epoch)

    # --- for who runs it -----------------------------------------------------------------------------------

    async def Examine(  # noqa: N802
        self, request: rooms_pb2.ExamineRequest, context: rpc.Context
    ) -> rooms_pb2.ExamineResponse:
        await self._who(context)  # that it is an administrator is the gateway's to know, by auth
        return answers.examined(await self._examination.findings())
