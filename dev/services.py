"""The services of the stack: how each is started, what it listens on and how it says that it is ready."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import auth.config
import gateway.config
import media.config
import rooms.config
from common.probe import grpc_probe, http_probe
from dev.settings import bracketed, host_and_port, media_workers, number, reachable

# What each reads from the environment (`common.config`).
CONFIGS: Mapping[str, type[Any]] = {
    "auth": auth.config.Config,
    "rooms": rooms.config.Config,
    "media": media.config.Config,
    "gateway": gateway.config.Config,
}


@dataclass(frozen=True)
class Port:
    """A port that a service will want, and the variable that chooses it."""

    host: str
    number: int
    variable: str
    udp: bool = False

    def __str__(self) -> str:
        return f"{self.number}{'/udp' if self.udp else ''}"


@dataclass(frozen=True)
class Service:
    """One program under the supervisor. It is ready when every probe says so; `where` is for people.

    `env`: settings of its own, where another has others. `command`: what starts it, where that is not
    `python -m MODULE`. `metrics`: the address of its /metrics. `config`: the class of its settings.
    """

    name: str
    module: str
    ports: tuple[Port, ...]
    probes: tuple[Callable[[], bool], ...]
    where: str
    env: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    metrics: str = ""
    config: type[Any] | None = None

    def is_ready(self) -> bool:
        return all(probe() for probe in self.probes)


def services(env: Mapping[str, str]) -> tuple[Service, ...]:
    """All of them, in the order they depend on each other."""
    rooms_ws = Port(env["ROOMS_WS_HOST"], number(env, "ROOMS_WS_PORT"), "ROOMS_WS_PORT")
    gateway = Port(env["GATEWAY_HOST"], number(env, "GATEWAY_PORT"), "GATEWAY_PORT")
    found = (
        _service("auth", (_grpc_port(env, "AUTH_LISTEN"),), grpc_probe(reachable(env["AUTH_LISTEN"]))),
        _service(
            "rooms",
            (_grpc_port(env, "ROOMS_LISTEN"), rooms_ws),
            grpc_probe(reachable(env["ROOMS_LISTEN"])),
            http_probe(reachable(f"{bracketed(rooms_ws.host)}:{rooms_ws.number}"), "/healthz"),
        ),
        *_media(env),
        _service(
            "gateway",
            (gateway,),
            http_probe(reachable(f"{bracketed(gateway.host)}:{gateway.number}"), "/readyz"),
        ),
    )
    # The gateway is last: where it has several workers, theirs follow.
    return tuple(_with_metrics(each, env, number) for number, each in enumerate(found))


def _with_metrics(service: Service, env: Mapping[str, str], number: int) -> Service:
    """With a port of its own for /metrics, in the row that METRICS_LISTEN begins."""
    first = _grpc_port(env, "METRICS_LISTEN")
    its = replace(first, number=first.number + number)
    listen = f"{bracketed(its.host)}:{its.number}"
    return replace(
        service,
        ports=(*service.ports, its),
        env={**service.env, "METRICS_LISTEN": listen},
        metrics=f"http://{reachable(listen)}/metrics",
        config=CONFIGS[service.module],
    )


def _media(env: Mapping[str, str]) -> Iterator[Service]:
    hosts = env.get("MEDIA_HOST") or "auto"
    voice_host = "0.0.0.0" if hosts == "auto" else hosts.split(",")[0].strip()  # noqa: S104  # only tried, for a moment
    for count, its in enumerate(media_workers(env), start=1):
        ports = (
            _grpc_port(its, "MEDIA_LISTEN"),
            Port(voice_host, number(its, "MEDIA_PORT"), "MEDIA_PORT", udp=True),
        )
        probe = grpc_probe(reachable(its["MEDIA_LISTEN"]))
        name = "media" if count == 1 else f"media-{count}"
        yield Service(name, "media", ports, (probe,), where=", ".join(map(str, ports)), env=its)


def _service(name: str, ports: tuple[Port, ...], *probes: Callable[[], bool]) -> Service:
    return Service(name, name, ports, probes, where=", ".join(map(str, dict.fromkeys(ports))))


def _grpc_port(env: Mapping[str, str], variable: str) -> Port:
    host, port = host_and_port(env, variable)
    return Port(host, port, variable)
