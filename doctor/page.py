"""The door that people come through: the name, TLS, the API and the websocket."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from common.errors import CLOSE_CODE, Forbidden, Unauthenticated
from doctor.finding import Finding, State, odd, well, wrong

DEADLINE = aiohttp.ClientTimeout(10)
DAY = 86_400
# Any room's: nobody is let in, and how one is refused says what works.
SOMEWHERE = "/ws/rooms/00000000-0000-7000-8000-000000000000"


async def check(page: str, certificate: str) -> AsyncIterator[Finding]:
    parts = urlsplit(page)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(10):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        yield wrong(
            "name",
            f"{host} stands for no address",
            "make an A record for it with this machine's address, or correct PUBLIC_URL (in .env: DOMAIN).",
        )
        return
    yield well("name", f"{host} is {', '.join(sorted({str(each[4][0]) for each in found}))}")
    trust = ssl.create_default_context(cafile=certificate or None)
    if parts.scheme == "https":
        finding = await _tls(host, port, trust)
        yield finding
        if finding.state is State.WRONG:
            return
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, timeout=DEADLINE) as visitor:
        try:
            async with visitor.get(f"{page}/readyz") as ready:
                body = await ready.json(content_type=None)
                date = ready.headers.get("Date", "")
            yield _ready(page, ready.status, body)
            if date:
                yield agree("the page's server", parsedate_to_datetime(date).timestamp(), apart=5)
            async with visitor.get(f"{page}/config.json") as told:
                ws_url = str((await told.json())["ws_url"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            yield wrong(
                "page",
                f"{page} does not answer as it should ({_why(error)})",
                "look whether the gateway and what stands before it run (make status, docker compose ps), and"
                f" whether a firewall lets TCP {port} in.",
            )
            return
        yield await _websocket(visitor, page, ws_url)


async def _tls(host: str, port: int, trust: ssl.SSLContext) -> Finding:
    try:
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection(host, port, ssl=trust)
        certificate = writer.get_extra_info("peercert")
        version = writer.get_extra_info("ssl_object").version()
        writer.close()
    except ssl.SSLCertVerificationError as error:
        return wrong(
            "TLS",
            f"browsers do not believe the certificate: {error.verify_message}",
            "see what Caddy says (docker compose logs caddy): to get one it wants port 80 open, and the name"
            " has to point here. Behind a proxy of yours, renew its certificate.",
        )
    except (OSError, TimeoutError) as error:
        return wrong(
            "TLS",
            f"{host}:{port} speaks no TLS ({_why(error)})",
            f"look whether Caddy runs, and open TCP {port} in the firewall and the router.",
        )
    began, ends = (ssl.cert_time_to_seconds(certificate[each]) for each in ("notBefore", "notAfter"))
    days = int((ends - time.time()) / DAY)
    if ends - time.time() < (ends - began) / 5:  # Caddy renews when a third is left
        return odd(
            "TLS",
            f"the certificate holds for {days} more days, and should have been renewed",
            "see what Caddy says (docker compose logs caddy): port 80 has to be open.",
        )
    return well("TLS", f"{version}, the certificate holds for {days} more days")


def _ready(page: str, status: int, body: object) -> Finding:
    if status == 200:
        return well("API", f"{page} answers, and so do the services behind it")
    said = body.get("detail", "") if isinstance(body, dict) else ""
    return wrong(
        "API",
        f"{page}/readyz says {status}: {said}",
        "see what that service says (make logs SERVICE=…, docker compose logs …).",
    )


def agree(whose: str, there: float, *, apart: float) -> Finding:
    """Whether two clocks do. `there`: what the other one says, in Unix seconds."""
    seconds = abs(there - time.time())
    if seconds > apart:
        return wrong(
            "clocks",
            f"the clock of {whose} and this one are {seconds:.0f} s apart",
            "let both be set by the network: timedatectl set-ntp true. Tokens and seats go by the clock.",
        )
    return well("clocks", f"that of {whose} agrees")


async def _websocket(visitor: aiohttp.ClientSession, page: str, ws_url: str) -> Finding:
    """With a token that opens nothing: to be refused for it is to have come all the way."""
    parts = urlsplit(page)
    origin = f"{parts.scheme}://{parts.netloc}"
    try:
        async with visitor.ws_connect(
            ws_url + SOMEWHERE, headers={"Origin": origin}, timeout=aiohttp.ClientWSTimeout(ws_close=5)
        ) as opened:
            await opened.send_str(json.dumps({"type": "auth", "payload": {"access_token": "none"}}))
            message = await opened.receive(10)
            code, reason = opened.close_code, message.extra
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return wrong(
            "websocket",
            f"{ws_url} opens none ({_why(error)})",
            "what stands before rooms has to pass /ws/ to it, as deploy/caddy/routes does; a proxy of yours"
            " has to allow the upgrade. Where the websocket is elsewhere, ROOMS_WS_URL says it.",
        )
    if code == CLOSE_CODE[Unauthenticated]:
        return well("websocket", f"{ws_url} opens, and checks who comes")
    if code == CLOSE_CODE[Forbidden]:
        return wrong(
            "websocket",
            f"{ws_url} refuses the page {origin} ({reason})",
            f"add {origin} to ALLOWED_ORIGINS.",
        )
    return wrong("websocket", f"{ws_url} was closed with {code} {reason}", "see what rooms says in its log.")


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__
