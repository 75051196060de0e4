"""auth and gateway as the operator runs them: real processes, their exit and their logs."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dev.ports import free_port
from tests.auth.running import PASSWORD
from tests.gateway.running import Api

ROOT = Path(__file__).parents[2]


class Service:
    """`python -m name`, with its log in memory."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log = ""
        self._ready = asyncio.Event()
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log += line.decode()
            if '"event": "ready"' in self.log:
                self._ready.set()

    async def ready(self) -> None:
        await asyncio.wait_for(self._ready.wait(), 20)

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(self.process.wait(), 20)
        await self._reading
        return status

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]


@asynccontextmanager
async def started(name: str, **settings: str) -> AsyncIterator[Service]:
    environ = {"PATH": os.environ["PATH"], "LOG_FORMAT": "json", "LOG_LEVEL": "debug", **settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", name, cwd=ROOT, env=environ, stderr=asyncio.subprocess.PIPE
    )
    service = Service(process)
    try:
        yield service
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await service._reading


@asynccontextmanager
async def ready(service: Service) -> AsyncIterator[None]:
    await service.ready()
    yield


async def test_an_evening_leaves_no_secret_in_the_logs_and_ends_in_good_order(
    auth_database: str, keys_dir: Path, web_dir: Path
) -> None:
    address, port = f"127.0.0.1:{free_port()}", free_port()
    async with (
        started(
            "auth",
            DATABASE_URL=auth_database,
            AUTH_KEYS_DIR=str(keys_dir),
            AUTH_LISTEN=address,
            BCRYPT_COST="4",
            SERVICE_TOKEN="between-services",
        ) as auth,
        # Whom the gateway does not find at its own start it looks for again only a moment later.
        ready(auth),
        started(
            "gateway",
            GATEWAY_PORT=str(port),
            AUTH_ADDR=address,
            ROOMS_ADDR=f"127.0.0.1:{free_port()}",
            GATEWAY_WEB_DIR=str(web_dir),
            SERVICE_TOKEN="between-services",
        ) as gateway,
    ):
        await gateway.ready()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            secrets = await an_evening(Api(session, port))
        assert (await gateway.stop(), await auth.stop()) == (0, 0)

    for log in (auth.log, gateway.log):
        for secret in (*secrets, "between-services", PASSWORD, "?access_token"):
            assert secret not in log
    assert {line["event"] for line in auth.lines()} >= {"registered", "refresh token reused", "stopped"}

    by_request = {line["request_id"]: line for line in gateway.lines() if line["event"] == "request"}
    assert by_request["evening-1"] == by_request["evening-1"] | {
        "method": "POST",
        "path": "/auth/register",
        "status": 201,
        "service": "gateway",
    }
    assert by_request["evening-2"]["user_id"] == 1
    # One id through both services.
    assert [line["event"] for line in auth.lines() if line.get("request_id") == "evening-1"] == ["registered"]


async def an_evening(api: Api) -> list[str]:
    """Everything people do with accounts, and everything that goes wrong; the secrets they used."""
    body = {"email": "ann@example.org", "displayName": "Ann", "password": PASSWORD}
    answer = await api.call("POST", "/auth/register", body, headers={"X-Request-ID": "evening-1"})
    assert answer.status == 201, answer.text
    secrets = [answer.json["accessToken"], answer.json["refreshToken"]]
    api.token = secrets[0]
    await api.call("GET", "/auth/me?access_token=" + api.token, headers={"X-Request-ID": "evening-2"})
    await api.call("POST", "/auth/login", {"email": "ann@example.org", "password": "not it at all"})
    assert (await api.call("GET", "/rooms")).status == 503
    for number in (1, 2, 1):  # the last one is a replay
        answer = await api.call("POST", "/auth/refresh", {"refreshToken": secrets[number]})
        if answer.status == 200:
            secrets += [answer.json["refreshToken"], answer.json["accessToken"]]
    assert answer.json["code"] == "REFRESH_TOKEN_REUSED"
    await api.call("POST", "/auth/refresh", {"refreshToken": "cwrkr_forged"})
    await api.call("GET", "/rooms", headers={"Authorization": "Bearer forged." + api.token})
    await api.call("POST", "/auth/logout")
    signatures = [secret.rpartition(".")[2] for secret in secrets]
    return [*secrets, *signatures, "not it at all", "cwrkr_forged"]


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("auth", {}, "auth: DATABASE_URL is not set. "),
        (
            "gateway",
            {"GATEWAY_PORT": "http"},
            "gateway: GATEWAY_PORT must be a whole number (it is 'http'). ",
        ),
        ("gateway", {"AUTH_ADDR": "auth"}, "gateway: AUTH_ADDR must be host:port"),
    ],
)
async def test_a_setting_that_is_wrong_is_a_sentence_not_a_stack(
    name: str, settings: dict[str, str], sentence: str
) -> None:
    async with started(name, **settings) as service:
        assert await asyncio.wait_for(service.process.wait(), 20) == 2
        await service._reading
        assert service.log.startswith(sentence)
        assert service.log.count("\n") == 1
