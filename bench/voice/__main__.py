"""`python -m bench.voice`: people come to a server that runs, talk, and say what it was like.

    python -m bench.voice --url https://study.example.org --token T1 --token T2 … [--rooms 1] [--seconds 30]
    python -m bench.voice --url http://localhost:8080 --register [--invite CODE] --people 10 --rooms 2

Each has an account, a websocket and a real voice (ICE, DTLS, SRTP, 50 packets a second of 120 octets), but
no codec, so that one process is hundreds of them. Tokens are those of accounts that there are; --register
makes accounts for the time of the run. The rooms they meet in are private, and go with them.

It asks before it loads anything but this machine, or with more than 20 people or a minute, and it loads no
server that does not answer with our name.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from bench.forward import load
from bench.servers.server import Participant
from bench.voice import consent, meter
from bench.voice.consent import NotAllowed
from bench.voice.person import PATIENCE_S, Person, Refused
from common.lifecycle import loop_factory

#: Who come at once.
_DOOR: Final = 4
_SLOTS: Final = 9
_GOODBYE_S: Final = 30.0


@dataclass(frozen=True)
class Plan:
    """What is to happen."""

    url: str
    people: int  # a room
    rooms: int
    speaking: int  # a room
    seconds: float
    tokens: Sequence[str]
    invite: str


class Crowd:
    """Everybody of a run. A context manager: at its end rooms and accounts that it made are gone."""

    def __init__(self, plan: Plan, http: aiohttp.ClientSession) -> None:
        self._plan = plan
        self._door = asyncio.Semaphore(_DOOR)
        self._rooms: list[tuple[Person, str]] = []
        self._stack = AsyncExitStack()
        tokens = plan.tokens or [""] * (plan.people * plan.rooms)
        self.people = [Person(http, plan.url, token) for token in tokens]
        self.refusals: list[str] = []

    async def __aenter__(self) -> Crowd:
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._stack.aclose()
                await self._each(owner.call("DELETE", f"/rooms/{room}") for owner, room in self._rooms)
                await self._each(person.unregister() for person in self.people)

    @property
    def participants(self) -> list[Participant]:
        """Who is in now."""
        return [each.participant for each in self.people if each.participant is not None]

    @contextlib.asynccontextmanager
    async def coming(self) -> AsyncIterator[asyncio.Task[None]]:
        """They come meanwhile; at the end nobody does any more."""
        task = asyncio.create_task(self._come())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _come(self) -> None:
        """Everybody, room by room, some at once."""
        if not self._plan.tokens:
            await self._each(
                person.register(number, self._plan.invite) for number, person in enumerate(self.people)
            )
        size = self._plan.people
        people = [each for each in self.people if each.has_account]
        for first in range(0, len(people), size):
            with self._noting():
                await self._room(people[first : first + size])

    async def _room(self, people: Sequence[Person]) -> None:
        """A room of these."""
        owner, *guests = people
        made = await owner.call(
            "POST", "/rooms", {"name": "Load", "max": len(people), "visibility": "private"}
        )
        room = made["id"]
        self._rooms.append((owner, room))
        if guests:
            invite = await owner.call("POST", f"/rooms/{room}/invites", {"max_uses": len(guests)})
            await self._each(guest.call("POST", f"/invites/{invite['code']}/accept") for guest in guests)
        await self._each(
            self._enter(person, room, speaks=number < self._plan.speaking)
            for number, person in enumerate(people)
        )

    async def _enter(self, person: Person, room: str, *, speaks: bool) -> None:
        voice = person.in_voice(room, speaks=speaks, slots=_SLOTS)
        await self._stack.enter_async_context(voice)

    async def _each(self, doing: Iterable[Awaitable[object]]) -> None:
        """All of these, some at once."""

        async def one(does: Awaitable[object]) -> None:
            with self._noting():
                async with self._door:
                    await does

        await asyncio.gather(*(one(each) for each in doing))

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """What is refused is noted, and the others go on."""
        try:
            yield
        except (Refused, aiohttp.ClientError, ConnectionError, TimeoutError) as refusal:
            self.refusals.append(str(refusal) or type(refusal).__name__)


async def run(plan: Plan) -> dict[str, Any]:
    """The whole of it; the report. Raises NotAllowed, Refused."""
    timeout = aiohttp.ClientTimeout(PATIENCE_S)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
        await consent.is_ours(http, plan.url)
        async with Crowd(plan, http) as crowd, crowd.coming() as coming:
            measured = meter.Meter()
            left, everybody = plan.seconds, False
            while left > 0 and (crowd.participants or not coming.done()):
                if coming.done() and not everybody:
                    everybody = True
                    measured.begin()
                left -= everybody
                if any(each.mouth for each in crowd.participants):
                    for pause in load.pace(crowd.participants, 1.0):
                        await asyncio.sleep(pause)
                else:
                    await asyncio.wait([coming], timeout=1.0)
                print(f"{len(crowd.people)} people: {measured.second(crowd.participants).line()}", flush=True)
            whole = measured.all(crowd.participants)
            await coming
            joins = [each.joined_s for each in crowd.people if each.joined_s is not None]
            troubles = [trouble for each in crowd.people for trouble in each.troubles] + crowd.refusals
            return meter.report(whole, joins, len(crowd.people), troubles)


def show(found: dict[str, Any]) -> None:
    """The report, for people."""

    def ms(name: str) -> str:
        return "–" if found[name] is None else f"{found[name]:.1f} ms"

    print(
        f"""
{found["came"]} of {found["asked_for"]} came, {found["speaking"]} of them spoke
  into a room with a voice   {ms("join_p50_ms")} (p50), {ms("join_p95_ms")} (p95)
  packets a second           {found["sent_per_second"]:,.0f} in, {found["received_per_second"]:,.0f} out
  lost                       {found["lost_share"]:.3%}
  delay there and back       {ms("delay_p50_ms")} (p50), {ms("delay_p99_ms")} (p99)
  jitter                     {ms("jitter_ms")}
  troubles                   {"none" if not found["troubles"] else ""}"""
    )
    for trouble, times in found["troubles"].items():
        print(f"    {times} × {trouble}")


def confirmed(asked: consent.Load, named: str) -> bool:
    """Whether who runs the server says so, by its name."""
    if asked.question is None or named == asked.host:
        return True
    print(asked.question)
    if not sys.stdin.isatty():
        print(f"Nobody is here to ask: --i-run {asked.host} says that it is yours.")
        return False
    return input("Its name, to go on: ").strip() == asked.host


def parsed(arguments: list[str]) -> tuple[Plan, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog="python -m bench.voice", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--url", required=True, help="the page's address")
    parser.add_argument("--token", action="append", default=[], help="of an account, for each person")
    parser.add_argument("--tokens", type=Path, metavar="FILE", help="such tokens, one a line")
    parser.add_argument(
        "--register", action="store_true", help="make the accounts; they are deleted at the end"
    )
    parser.add_argument("--invite", default="", help="where one registers by invite: its code or link")
    parser.add_argument("--people", type=int, help="in a room (10; with tokens: as many as there are)")
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--speaking", type=int, default=3, help="how many of a room talk all the time (3)")
    parser.add_argument("--seconds", type=float, default=30, help="after the last has come (30)")
    parser.add_argument(
        "--i-run", default="", metavar="HOST", help="what would be asked is answered with yes"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here too")
    options = parser.parse_args(arguments)
    tokens = list(options.token)
    if options.tokens:
        tokens += options.tokens.read_text().split()
    if bool(tokens) == options.register:
        parser.error("either tokens of accounts (--token, --tokens), or --register")
    people = options.people or (len(tokens) // options.rooms if tokens else 10)
    if tokens and len(tokens) < people * options.rooms:
        parser.error(f"{people * options.rooms} people want as many tokens; there are {len(tokens)}")
    if min(people, options.rooms, options.speaking, options.seconds) < 1:
        parser.error("people, rooms, who speak and seconds are 1 or more")
    plan = Plan(
        url=options.url.rstrip("/"),
        people=people,
        rooms=options.rooms,
        speaking=min(options.speaking, people),
        seconds=options.seconds,
        tokens=tokens[: people * options.rooms],
        invite=options.invite.rpartition("=")[2],
    )
    return plan, options


def main(arguments: list[str]) -> int:
    plan, options = parsed(arguments)
    try:
        asked = consent.Load(plan.url, plan.people * plan.rooms, plan.seconds)
        if not confirmed(asked, options.i_run):
            return 2
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            found = runner.run(run(plan))
    except NotAllowed as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; what was made for it is gone again.")
        return 130
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if found["came"] == found["asked_for"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
