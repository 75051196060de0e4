"""Every route of the gateway."""

from __future__ import annotations

from aiohttp import web

from common import rpc
from common.clients import Clients
from common.metrics import Page
from common.revocations import Revocations
from common.tokens import Verifier
from gateway import middleware
from gateway.accounts import Accounts
from gateway.addresses import Addresses
from gateway.chat import Chat
from gateway.config import Config
from gateway.cors import Cors
from gateway.entry import Entry
from gateway.health import Health
from gateway.identity import Door
from gateway.metrics import Requests
from gateway.moderation import PLAIN_ACTIONS, Moderation
from gateway.operator import Operator
from gateway.own_account import OwnAccount
from gateway.pages import Pages
from gateway.rates import Rates
from gateway.recovery import Recovery
from gateway.reference import Docs
from gateway.rooms import Rooms
from gateway.timer import Timer

# Told when the gateway stops.
HEALTH = web.AppKey("health", Health)
BODY_MAX = 64 * 1024


def make_app(
    config: Config, auth: rpc.Client, rooms: rpc.Client, revocations: Revocations, page: Page
) -> web.Application:
    """The application over its two services, which counts on `page`; what is in `revocations` is refused.

    Raises ConfigError when there is no page to serve.
    """
    clients = Clients(config.trusted_proxies, config.forwarded_header)
    cors = Cors(config.cors_origins)
    rates = Rates(config.redis_url, person=config.rate_person, address=config.rate_address)
    requests = Requests(page, rates)
    addresses = Addresses(config)
    pages = Pages(config, addresses)
    around = [middleware.observed(clients, requests), middleware.answered(cors, rates, requests, pages)]
    app = web.Application(middlewares=around, client_max_size=BODY_MAX)
    accounts = Accounts(auth)
    verifier = Verifier(accounts.fetch_key_set, revocations, refetch=config.key_refetch_seconds)
    door = Door(verifier, rates)
    _add_accounts(app, accounts, door)
    _add_own_account(app, OwnAccount(auth), door)
    _add_recovery(app, Recovery(auth), door)
    _add_rooms(app, Rooms(rooms), door)
    _add_chat(app, Chat(rooms), door)
    _add_moderation(app, Moderation(rooms), door)
    _add_entry(app, Entry(rooms, addresses), door)
    _add_timer(app, Timer(rooms), door)
    app.router.add_get("/doctor/findings", door.signed_in(Operator(auth, rooms).findings))
    app[HEALTH] = health = Health({"auth": auth, "rooms": rooms}, lambda: rates.redis_is_well)
    app.router.add_get("/healthz", health.alive)
    app.router.add_get("/readyz", health.ready)
    pages.add_to(app)
    Docs().add_to(app)
    app.on_response_prepare.append(middleware.headers_of(pages, cors))

    async def close(_app: web.Application) -> None:
        await rates.close()

    app.on_cleanup.append(close)
    return app


def _add_accounts(app: web.Application, accounts: Accounts, door: Door) -> None:
    app.router.add_post("/auth/register", accounts.register)
    app.router.add_post("/auth/login", accounts.login)
    app.router.add_post("/auth/refresh", accounts.refresh)
    app.router.add_get("/auth/me", door.signed_in(accounts.me))
    app.router.add_get("/.well-known/jwks.json", accounts.key_set)


def _add_recovery(app: web.Application, recovery: Recovery, door: Door) -> None:
    app.router.add_post("/auth/verify", recovery.verify)
    app.router.add_post("/auth/forgot", recovery.forgot)
    app.router.add_post("/auth/reset", recovery.reset)
    app.router.add_delete("/auth/me", door.signed_in(recovery.delete_account))


def _add_own_account(app: web.Application, own: OwnAccount, door: Door) -> None:
    app.router.add_patch("/auth/me", door.signed_in(own.update))
    app.router.add_post("/auth/logout", door.signed_in(own.logout))
    app.router.add_get("/auth/sessions", door.signed_in(own.sessions))
    app.router.add_delete("/auth/sessions", door.signed_in(own.end_all_sessions))
    app.router.add_delete("/auth/sessions/{id:[^/]+}", door.signed_in(own.end_session))
    app.router.add_post("/auth/password", door.signed_in(own.change_password))


def _add_rooms(app: web.Application, rooms: Rooms, door: Door) -> None:
    app.router.add_post("/rooms", door.signed_in(rooms.create))
    app.router.add_get("/rooms", door.signed_in(rooms.list))
    app.router.add_get("/rooms/{id:[^/]+}", door.signed_in(rooms.get))
    app.router.add_patch("/rooms/{id:[^/]+}", door.signed_in(rooms.update))
    app.router.add_delete("/rooms/{id:[^/]+}", door.signed_in(rooms.delete))
    app.router.add_post("/rooms/{id:[^/]+}/join", door.signed_in(rooms.join))
    app.router.add_post("/rooms/{id:[^/]+}/leave", door.signed_in(rooms.leave))
    app.router.add_get("/rooms/{id:[^/]+}/participants", door.signed_in(rooms.participants))


def _add_chat(app: web.Application, chat: Chat, door: Door) -> None:
    app.router.add_get("/rooms/{id:[^/]+}/chat", door.signed_in(chat.list))
    app.router.add_get("/rooms/{id:[^/]+}/events", door.signed_in(chat.events))


def _add_moderation(app: web.Application, moderation: Moderation, door: Door) -> None:
    somebody = "/rooms/{id:[^/]+}/participants/{user_id:[^/]+}"
    for action in PLAIN_ACTIONS:
        app.router.add_post(f"{somebody}/{action}", door.signed_in(moderation.plain))
    app.router.add_post(f"{somebody}/ban", door.signed_in(moderation.ban))
    app.router.add_post(f"{somebody}/role", door.signed_in(moderation.role))
    app.router.add_get("/rooms/{id:[^/]+}/bans", door.signed_in(moderation.bans))


def _add_entry(app: web.Application, entry: Entry, door: Door) -> None:
    app.router.add_post("/rooms/{id:[^/]+}/invites", door.signed_in(entry.invite))
    app.router.add_get("/rooms/{id:[^/]+}/invites", door.signed_in(entry.invites))
    app.router.add_delete("/rooms/{id:[^/]+}/invites/{code:[^/]+}", door.signed_in(entry.revoke))
    app.router.add_post("/invites/{code:[^/]+}/accept", door.signed_in(entry.accept))
    app.router.add_post("/rooms/{id:[^/]+}/tickets", door.signed_in(entry.ticket))


def _add_timer(app: web.Application, timer: Timer, door: Door) -> None:
    app.router.add_get("/rooms/{id:[^/]+}/timer", door.signed_in(timer.get))
    app.router.add_put("/rooms/{id:[^/]+}/timer", door.signed_in(timer.set))
