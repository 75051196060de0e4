"""The rooms service, put together: gRPC and the websocket in one process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import grpc
from aiohttp import web

from common import database, log, metrics, rpc
from common.config import ConfigError
from common.errors import CwrkError
from common.lifecycle import BACKLOG, background
from common.migrate import migrate
from common.readiness import Part
from common.revocations import Revocations
from common.tokens import Verifier
from common.unreadable import Runner
from proto import auth_pb2, auth_pb2_grpc, rooms_pb2_grpc
from rooms.config import Config
from rooms.core.participants import GRACE_SECONDS
from rooms.cursors import Cursors
from rooms.hub import Hub
from rooms.log.fanout import Fanout
from rooms.log.history import History
from rooms.log.retention import Retention
from rooms.media_client import Worker
from rooms.metrics import figures
from rooms.placement import Placement
from rooms.service import NAME, RoomsService
from rooms.tables.deletions import Deletions
from rooms.tables.placements import Placements
from rooms.tables.presence import RENEW_SECONDS, Presence
from rooms.tables.store import Store
from rooms.tables.tickets import Tickets
from rooms.turn import ice_servers
from rooms.voice_calls import VoiceCalls
from rooms.websocket.connection import Timing
from rooms.websocket.door import Door
from rooms.websocket.open_sessions import OpenSessions
from rooms.websocket.places import Crowd

MIGRATIONS = Path(__file__).parent / "migrations"
DRAINING = (4200, "DRAINING")
CLOSE_SECONDS = 5.0
#: The tables were at hand for so long, and all renewed theirs, before a seat is believed to be nobody's.
SURE_SECONDS = 30.0

logger = log.get("rooms")


@dataclass(frozen=True)
class Ports:
    """Where a running rooms service listens: the real ports where 0 was asked for."""

    grpc: int
    websocket: int


@asynccontextmanager
async def serve(config: Config, *, timing: Timing = Timing()) -> AsyncIterator[Ports]:  # noqa: B008  # frozen
    """A running service. Leaving drains it: clients are sent elsewhere, what is being saved is saved.

    Raises ConfigError.
    """
    servers = ice_servers(config, time.time)
    async with contextlib.AsyncExitStack() as stack:
        # The log and the look have connections of their own: nothing else keeps a message waiting.
        logs = config.database_connections // 2
        opened = await stack.enter_async_context(
            database.connect(config.database_url, size=config.database_connections - logs - 1)
        )
        looks = await stack.enter_async_context(database.connect(config.database_url, size=1))
        log_database = await stack.enter_async_context(
            database.connect(config.database_url, size=logs, plan_once=True)
        )
        page = metrics.Page("rooms")
        page.reads(lambda: metrics.pools(tables=opened, looks=looks, logs=log_database))
        await migrate(opened, "rooms", MIGRATIONS)
        store = Store(opened, person_rooms=config.person_rooms)
        epoch, secret = await store.deployment()
        replica = uuid4()
        presence = Presence(opened, replica)
        hub = Hub(store, presence, epoch)
        hub.log.history = History(log_database, hub.log.report, lambda: hub.epoch)
        hub.log.fanout = Fanout(config.redis_url, str(replica), Presence(looks, replica), hub)
        stack.push_async_callback(hub.log.fanout.close)

        placement = Placement(
            Placements(opened), lambda room_id: hub.tell(room_id, lambda room: room.worker_lost())
        )
        page.reads(lambda: figures(hub, placement))
        page.shows(hub.log.history.sizes, hub.log.history.seconds)
        hub.voice = VoiceCalls(placement, hub.lanes, hub.tell)
        stack.push_async_callback(placement.close)
        for address in config.media_addr:
            media = await stack.enter_async_context(rpc.connect(address, "media", config.service_token))
            worker = placement.workers[address] = Worker(
                address,
                media,
                heard=hub.voice.heard,
                came=placement.came,
                lost=placement.lost,
                spare=placement.spare,
            )
            await stack.enter_async_context(background(worker.listen, "rooms.worker"))
        for name, work in (
            ("fanout", hub.log.fanout.run),
            ("leases", lambda: keep_leases(hub, presence)),
            ("erasure", store.erasure.run),
        ):
            await stack.enter_async_context(background(work, f"rooms.{name}"))
        stack.push_async_callback(hub.close)

        auth = await stack.enter_async_context(rpc.connect(config.auth_addr, "auth", config.service_token))
        sessions = OpenSessions(hub.session_ended)
        sessions.revocations = revocations = Revocations(auth, heard=sessions.heard)
        deletions = Deletions(opened, auth, hub.deleted)
        await stack.enter_async_context(background(revocations.run, "rooms.revocations"))
        await stack.enter_async_context(background(deletions.run, "rooms.deletions"))
        if config.message_retention_days:
            retention = Retention(
                opened, timedelta(days=config.message_retention_days), hub.log.fanout.forget
            )
            await stack.enter_async_context(background(retention.run, "rooms.retention"))
        verifier = Verifier(lambda: fetch_keys(auth), revocations, refetch=config.key_refetch_seconds)
        seals = Cursors(secret)
        tickets = Tickets(opened, seals)
        parts = (
            Part("database", opened.ping, needed=True),
            Part("pubsub", hub.log.fanout.trouble),
            Part("media", placement.trouble),
        )
        door = Door(
            hub, verifier, sessions, tickets, config.allowed_origins, servers, timing, Crowd.of(config), parts
        )
        service = RoomsService(store, hub, verifier, seals, tickets)

        def register(server: grpc.aio.Server) -> None:
            rooms_pb2_grpc.add_RoomsServicer_to_server(service, cast(Any, server))

        server = await stack.enter_async_context(
            rpc.serve(
                config.listen,
                variable="ROOMS_LISTEN",
                service_token=config.service_token,
                names=[NAME],
                parts=parts,
                page=page,
                register=register,
            )
        )
        ws_port = await stack.enter_async_context(listen(config, door.app()))
        await stack.enter_async_context(metrics.serve(config.metrics_listen, page, parts))
        try:
            yield Ports(server.port, ws_port)
        finally:
            door.draining = True
            await drain(hub, presence, config.drain_ms / 1000)
            await door.close()


async def fetch_keys(auth: rpc.Client) -> str:
    """auth's public keys, as a JSON Web Key Set."""
    stub = auth_pb2_grpc.AuthStub(cast(Any, auth.channel))
    key_set: auth_pb2.KeySet = await auth.call(cast(Any, stub.GetKeySet), auth_pb2.KeySetRequest())
    return key_set.jwks


@asynccontextmanager
async def listen(config: Config, app: web.Application) -> AsyncIterator[int]:
    """The websocket's HTTP server; its port."""
    runner = Runner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, config.ws_host, config.ws_port, backlog=BACKLOG).start()
        except OSError:
            raise ConfigError(
                f"ROOMS_WS_PORT={config.ws_port} on {config.ws_host} is taken or not an address of this "
                "machine; stop what uses it, or choose another."
            ) from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def keep_leases(hub: Hub, presence: Presence) -> None:
    """Keep the leases of everybody here, and forget those that nobody keeps."""
    clock = asyncio.get_running_loop().time
    well_since: float | None = None
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            for room_id in await presence.renew(hub.everybody_here()):
                hub.log.fanout.notify(room_id)
            await presence.sweep()
            well_since = well_since or clock()
            if clock() - well_since >= SURE_SECONDS:
                for room_id, user_id in await presence.vacate():
                    hub.vacated(room_id, user_id)
        except (CwrkError, asyncpg.PostgresError) as error:
            well_since = None
            logger.warning("leases not kept", reason=type(error).__name__)


async def drain(hub: Hub, presence: Presence, seconds: float) -> None:
    """Send everybody elsewhere over `seconds`, so that they do not all arrive there at once.

    What is being saved is saved and acked first.
    """
    hub.connections.reconnect_all(int(seconds * 1000))
    await hub.connections.send_away(seconds, *DRAINING)
    hub.stop_reading()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await hub.drain()
    hub.connections.close_all(*DRAINING)
    await hub.connections.empty(CLOSE_SECONDS)
    with contextlib.suppress(CwrkError):
        await presence.retire(GRACE_SECONDS)
