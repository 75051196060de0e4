"""Whether a service is ready, asked from outside: `python -m common.probe grpc://host:port http://host:port/path`.

The exit status is 0 when all of them are. For health checks of containers, and for `make run`.
"""

from __future__ import annotations

import http.client
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

PATIENCE = 2.0


def grpc_probe(address: str) -> Callable[[], bool]:
    """Asks gRPC's health service."""

    def probe() -> bool:
        host, _, port = address.rpartition(":")
        try:
            # A channel whose first attempt fails waits a second before the next: knock first.
            socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
            with grpc.insecure_channel(address) as channel:
                stub = health_pb2_grpc.HealthStub(channel)
                answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        except (OSError, grpc.RpcError):
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    return probe


def http_probe(address: str, path: str) -> Callable[[], bool]:
    """Asks for `path` and wants a 200. A proxy set for the outside has no part in it."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def probe() -> bool:
        try:
            with opener.open(f"http://{address}{path}", timeout=PATIENCE) as answer:
                return bool(answer.status == http.HTTPStatus.OK)
        except (urllib.error.URLError, OSError, http.client.HTTPException):
            return False

    return probe


def main(urls: list[str]) -> int:
    for url in urls:
        scheme, _, rest = url.partition("://")
        address, slash, path = rest.partition("/")
        probe = grpc_probe(address) if scheme == "grpc" else http_probe(address, slash + path)
        if not probe():
            sys.stderr.write(f"{url} is not ready\n")
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
