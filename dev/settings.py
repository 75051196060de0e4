"""The settings of a stack: the environment, then `.env`, then what follows from these.

Environment variables win over `.env`; an empty one counts as not set. What depends on another setting is
derived, unless it is set itself: a changed port reaches everybody who has to know it.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

from common.workers import MOST, processes
from dev.place import Place, StackError

DEFAULTS: Mapping[str, str] = {
    "GATEWAY_HOST": "127.0.0.1",
    "GATEWAY_PORT": "8080",
    "AUTH_LISTEN": "127.0.0.1:50051",
    "ROOMS_LISTEN": "127.0.0.1:50052",
    "MEDIA_LISTEN": "127.0.0.1:50053",
    "ROOMS_WS_HOST": "127.0.0.1",
    "ROOMS_WS_PORT": "8082",
    "MEDIA_PORT": "24780",
    "MEDIA_WORKERS": "1",
    "LAN": "0",
    "LAN_PORT": "8443",
    "METRICS_LISTEN": "127.0.0.1:24700",  # the first of a row: dev/services.py
}


def resolve(place: Place, environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of the services, but for the embedded servers' addresses."""
    given = {**read_env_file(place.root / ".env"), **environ}
    env = {**DEFAULTS, **{name: value for name, value in given.items() if value}}
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"):
        env.pop(name, None)  # of the make that starts us, and of no use to what outlives it
    for name in ("AUTH", "ROOMS"):
        env.setdefault(f"{name}_ADDR", reachable(env[f"{name}_LISTEN"]))
    env.setdefault("MEDIA_ADDR", ",".join(reachable(each["MEDIA_LISTEN"]) for each in media_workers(env)))
    port = number(env, "GATEWAY_PORT")
    env.setdefault("ALLOWED_ORIGINS", f"http://localhost:{port},http://127.0.0.1:{port}")
    env.setdefault("PUBLIC_URL", f"http://localhost:{port}")
    if env["GATEWAY_HOST"] in ("127.0.0.1", "::1", "localhost"):
        env.setdefault("DEVELOPMENT", "1")  # only this machine is served: letters may be shown in the log
    env.setdefault("AUTH_KEYS_DIR", str(place.run / "keys"))
    if "SERVICE_TOKEN" not in env:
        env["SERVICE_TOKEN"] = service_token(place)
    env["PYTHONUNBUFFERED"] = "1"  # a log that lags behind hides the line that matters
    return env


def media_workers(env: Mapping[str, str]) -> list[dict[str, str]]:
    """What each media worker has for itself: ports that follow on those of the first."""
    wanted = env.get("MEDIA_WORKERS", "1")
    try:
        count = processes(wanted)
    except ValueError:
        raise StackError(
            f"MEDIA_WORKERS={wanted} is no number of workers: give one from 1 to {MOST}, or auto."
        ) from None
    host, listen = host_and_port(env, "MEDIA_LISTEN")
    voices = number(env, "MEDIA_PORT")
    return [
        {
            "MEDIA_LISTEN": f"{bracketed(host)}:{listen + more}",
            "MEDIA_PORT": str(voices + more),
            "MEDIA_WORKERS": "1",  # each is a service of its own here
        }
        for more in range(count)
    ]


def read_env_file(file: Path) -> dict[str, str]:
    """`KEY=VALUE` lines. Blank lines and comments (#) are skipped, quotes around a value are dropped."""
    values = {}
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    for count, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.isidentifier():
            raise StackError(f"{file}, line {count}: this is not KEY=VALUE. Correct or remove the line.")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        values[name] = value
    return values


def number(env: Mapping[str, str], name: str) -> int:
    """A port from the settings."""
    try:
        port = int(env[name])
    except ValueError:
        port = -1
    if not 0 < port < 65536:
        raise StackError(f"{name}={env[name]} is not a port: give a number from 1 to 65535.")
    return port


def host_and_port(env: Mapping[str, str], name: str) -> tuple[str, int]:
    """An address to listen on from the settings, as `host:port` or `[v6]:port`."""
    host, colon, port = env[name].rpartition(":")
    if not colon or not host:
        raise StackError(f"{name}={env[name]} is not an address: give host:port, as in {DEFAULTS[name]}.")
    return host.strip("[]"), number({name: port}, name)


def bracketed(host: str) -> str:
    """As it stands before a port."""
    return f"[{host}]" if ":" in host else host


def reachable(listen: str) -> str:
    """Where a server that listens on `listen` is reached from this machine."""
    host, _, port = listen.rpartition(":")
    everywhere = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - read, not listened on
    return f"{everywhere.get(host, host)}:{port}"


def service_token(place: Place) -> str:
    """The secret the services show each other, made at the first start and kept."""
    file = place.run / "service_token"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32) + "\n")
    return file.read_text().strip()
