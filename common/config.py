"""Configuration: one frozen dataclass a service, read from a mapping and checked at the start.

    @dataclass(frozen=True)
    class Config:
        port: int = setting("GATEWAY_PORT", "TCP port of the REST API and the page.", 8080, parse=port)
        database_url: str = setting("DATABASE_URL", "PostgreSQL, as a URL.", secret=True)

    config = load(Config, os.environ)

The sentence beside each name is the operator's documentation. A secret never
appears in `repr`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

C = TypeVar("C")
T = TypeVar("T")


class ConfigError(Exception):
    """A setting is missing or wrong: the sentence names the variable and says what to do."""


def text(raw: str) -> str:
    """Any text that is not blank."""
    if not raw.strip():
        raise ValueError("must not be empty")
    return raw.strip()


def port(raw: str) -> int:
    """A port, 0 (any free one) to 65535."""
    return integer(0, 65535)(raw)


def integer(low: int, high: int) -> Callable[[str], int]:
    """A whole number in `low … high`."""

    def parse(raw: str) -> int:
        try:
            value = int(raw)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= value <= high:
            raise ValueError(f"must be {low} to {high}")
        return value

    return parse


def address(raw: str) -> str:
    """`host:port`, with an IPv6 host in brackets."""
    host, colon, number = raw.strip().rpartition(":")
    if not colon or not host:
        raise ValueError("must be host:port, as in 127.0.0.1:50051")
    port(number)
    return raw.strip()


def page(raw: str) -> str:
    """`https://study.example.org`, with port and path if need be, without a slash at the end."""
    parts = urlsplit(raw.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must look like https://study.example.org")
    return raw.strip().rstrip("/")


def words(raw: str) -> tuple[str, ...]:
    """A comma-separated list; blanks around the words are dropped."""
    return tuple(word.strip() for word in raw.split(",") if word.strip())


def choice(*allowed: str) -> Callable[[str], str]:
    """One of `allowed`."""

    def parse(raw: str) -> str:
        if raw not in allowed:
            raise ValueError("must be one of " + ", ".join(allowed))
        return raw

    return parse


def setting(
    env: str,
    doc: str,
    default: Any = dataclasses.MISSING,
    *,
    parse: Callable[[str], Any] = text,
    secret: bool = False,
) -> Any:
    """A field of a config class: the variable `env`, what it does (`doc`), and how it is read.

    Without a `default` the variable must be set.
    """
    metadata = {"env": env, "doc": doc, "parse": parse, "secret": secret}
    return dataclasses.field(default=default, metadata=metadata, repr=not secret, kw_only=True)


def load(kind: type[C], environ: Mapping[str, str]) -> C:
    """Read `kind` from `environ`. An empty variable counts as not set.

    Raises ConfigError naming the variable; the value of a secret is not repeated.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # every config class is a dataclass
        env, doc = field.metadata["env"], field.metadata["doc"]
        raw = environ.get(env, "")
        if not raw:
            if field.default is dataclasses.MISSING:
                raise ConfigError(f"{env} is not set. {doc}")
            continue
        try:
            values[field.name] = field.metadata["parse"](raw)
        except ValueError as error:
            shown = "" if field.metadata["secret"] else f" (it is {raw!r})"
            raise ConfigError(f"{env} {error}{shown}. {doc}") from None
    return kind(**values)


@dataclasses.dataclass(frozen=True)
class Common:
    """What every service reads."""

    log_level: str = setting(
        "LOG_LEVEL",
        "How much is logged: debug, info, warning or error.",
        "info",
        parse=choice("debug", "info", "warning", "error"),
    )
    log_format: str = setting(
        "LOG_FORMAT",
        "console for people, json for machines.",
        "console",
        parse=choice("console", "json"),
    )
    service_token: str = setting(
        "SERVICE_TOKEN",
        "The secret the services show each other; needed as soon as gRPC listens beyond loopback.",
        "",
        secret=True,
    )
    metrics_listen: str = setting(
        "METRICS_LISTEN",
        "host:port of /metrics, for Prometheus; without it there is none. It has no password: keep it from"
        " where strangers are. Each service wants one of its own.",
        "",
        parse=address,
    )
    otlp_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "Where traces go: a collector that takes OTLP over HTTP, as in http://127.0.0.1:4318; without it"
        " there are none. What else OpenTelemetry's SDK knows (OTEL_TRACES_SAMPLER, …) it reads by itself.",
        "",
        parse=page,
    )
    key_refetch_seconds: int = setting(
        "KEY_REFETCH_SECONDS",
        "Signing keys are fetched at most this often because of a token with an unknown one, and a new key is"
        " shown for twice as long before it signs; the same for every service.",
        30,
        parse=integer(1, 3600),
    )
