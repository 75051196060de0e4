"""The stack of one place: brought up, looked at, stopped."""

import contextlib
import fcntl
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev import checks, lan, processes
from dev.embedded import Embedded
from dev.place import Place, StackError
from dev.progress import Progress
from dev.services import Service
from dev.settings import DEFAULTS
from dev.supervision import Program, State, Supervisor, write_config

# How long the slowest service may take to be ready.
PATIENCE = 30.0

# The file in which a start is remembered.
NOTE = "started.json"

# How the services declare what they read from the environment (`common.config`).
SETTING = re.compile(r'\bsetting\(\s*"([A-Z0-9_]+)"')

Probe = Callable[[], bool]


@dataclass
class Stack:
    """`env` is the resolved environment of the services, without the addresses of embedded servers."""

    place: Place
    env: Mapping[str, str]
    services: Sequence[Service]
    progress: Progress = field(default_factory=Progress)
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.place)
        self.embedded = Embedded.needed(self.place, self.env)

    @property
    def names(self) -> list[str]:
        """All programs, in the order of their start."""
        return [*self.embedded.probes(), *(service.name for service in self.services)]

    @property
    def address(self) -> str:
        return (
            self.env["PUBLIC_URL"]
            if lan.is_wanted(self.env)
            else f"http://localhost:{self.env['GATEWAY_PORT']}"
        )

    @property
    def _ports(self) -> set[int]:
        return {port.number for service in self.services for port in service.ports}

    # --- up -------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Have everything up and ready, starting what is not. Raises StackError with what is wrong."""
        with self._alone():
            if self._is_current():
                if self._is_all_ready():
                    self.progress.finish(f"Already running: {self.address}")
                    return
                self._bring_up()
            else:
                self._check()
                if self.supervisor.is_running():
                    self.progress.say(
                        "the code or the settings are not those of the last start: starting anew"
                    )
                self._stop()
                try:
                    self._begin()
                    self._bring_up()
                except StackError:
                    self._stop()
                    raise
            for sentence in self._metrics():
                self.progress.say(sentence)
            self.progress.finish(f"Ready after {self.progress.seconds:.1f} s: {self.address}")

    def _check(self) -> None:
        """What can be known beforehand: nothing that runs is stopped for settings that cannot work."""
        checks.settings_are_read(self.services, {"DATABASE_URL": "that of our own", **self.env})
        ours: set[int] = set()
        if processes.read_records(self.place.pids) and self._note_file.exists():
            ours = set(json.loads(self._note_file.read_text())["ports"])
        self._check_ports(self.services, but_not=ours)
        if not self.embedded.postgres:
            checks.database_works(self.env["DATABASE_URL"])
            self.progress.say("DATABASE_URL works")
        if not self.embedded.valkey:
            answers = checks.redis_answers(self.env["REDIS_URL"])
            self.progress.say(
                "REDIS_URL works" if answers else "REDIS_URL: nothing answers there; going on without, slower"
            )

    def _begin(self) -> None:
        """A supervisor that has nothing started yet."""
        self._check_ports(self.services)
        programs = self.embedded.prepare(self.progress, self._ports)
        programs += [Program(each.name, command(each)) for each in self.services]
        write_config(self.place, programs)
        self.supervisor.start({**self.env, **self.embedded.addresses()})
        self._note_file.write_text(json.dumps(self._note()))

    def _bring_up(self) -> None:
        """Start what is down, first the servers and then the services, and wait until all are ready."""
        for name, probe in self.embedded.probes().items():
            self._make_ready({name: probe})
        self._make_ready({service.name: service.is_ready for service in self.services})

    def _make_ready(self, probes: Mapping[str, Probe]) -> None:
        states = self.supervisor.states()
        while any(states[name].is_leaving for name in probes):
            time.sleep(0.05)
            states = self.supervisor.states()
        down = [name for name in probes if not states[name].is_up]
        self._check_ports([service for service in self.services if service.name in down])
        if down:
            self.progress.say("starting " + ", ".join(down))
        marks = {name: self._start(name, states[name]) for name in down}
        self._wait(probes, marks)

    def _start(self, name: str, state: State) -> int:
        """Start one program; returns where in its log this start begins."""
        log = self.place.log(name)
        mark = log.stat().st_size if log.exists() else 0
        if state.is_waiting:
            self.supervisor.stop_program(name)  # else its next try could be minutes away
        self.supervisor.start_program(name)
        return mark

    def _wait(self, probes: Mapping[str, Probe], marks: Mapping[str, int]) -> None:
        waiting = dict(probes)
        began = self.supervisor.states()
        deadline = time.monotonic() + self.patience
        while True:
            for name in [name for name, probe in waiting.items() if probe()]:
                del waiting[name]
                if name in marks:
                    self.progress.say(f"{name} is ready")
            if not waiting:
                return
            states = self.supervisor.states()
            if not states:
                raise StackError("The supervisor is gone. `make run` starts it again.")
            for name in waiting:
                if not states[name].is_up or states[name].started != began[name].started:
                    raise self._failed(name, "did not start", marks)
            if time.monotonic() > deadline:
                raise self._failed(next(iter(waiting)), f"was not ready after {self.patience:.0f} s", marks)
            time.sleep(0.05)

    def _failed(self, name: str, what: str, marks: Mapping[str, int]) -> StackError:
        log = self.place.log(name)
        with log.open(errors="replace") as file:
            file.seek(marks.get(name, 0))
            lines = file.read().splitlines()[-15:]
        end = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
        return StackError(
            f"{name} {what}. Its log, {self.place.shown(log)}, ends:\n{end}\n"
            "Mend what it says and run `make run` again."
        )

    def _check_ports(self, wanted: Sequence[Service], *, but_not: Collection[int] = ()) -> None:
        taken = checks.taken_ports(wanted, but_not=but_not)
        if taken:
            raise StackError("\n".join(taken))

    def _is_current(self) -> bool:
        """Whether a supervisor runs, with the settings and the code of now."""
        if not self.supervisor.is_running():
            return False
        return bool(json.loads(self._note_file.read_text()) == self._note())

    def _is_all_ready(self) -> bool:
        states = self.supervisor.states()
        probes = [*self.embedded.probes().values(), *(service.is_ready for service in self.services)]
        return all(state.is_up for state in states.values()) and all(probe() for probe in probes)

    @property
    def _note_file(self) -> Path:
        return self.place.run / NOTE

    def _note(self) -> dict[str, object]:
        """What is remembered of a start: what it was made of, and where everything is."""
        outside = [name for name in ("DATABASE_URL", "REDIS_URL") if self.env.get(name)]
        known = {name: self.env[name] for name in (*DEFAULTS, "PUBLIC_URL")}
        return {
            "fingerprint": self._fingerprint(),
            "settings": known,
            "outside": outside,
            "ports": sorted(self._ports),
        }

    def _fingerprint(self) -> str:
        """What the services are made of: settings and code. A hash, since settings hold secrets."""
        known = hashlib.sha256()
        packages = [*(service.module for service in self.services), "common", "proto"]
        for package in packages:
            for file in sorted((self.place.root / package).rglob("*")):
                if file.suffix in (".py", ".sql", ".c", ".h"):
                    seen = file.stat()
                    known.update(f"{file}\0{seen.st_mtime_ns}\0{seen.st_size}\0".encode())
                if file.name == "config.py":
                    # Only what a service reads counts: the rest of the environment differs between terminals.
                    for name in SETTING.findall(file.read_text()):
                        known.update(f"{name}={self.env.get(name, '')}\0".encode())
        for service in self.services:
            known.update(repr(sorted(service.env.items())).encode())
        return known.hexdigest()

    # --- a look ---------------------------------------------------------------------------------------

    def status(self) -> bool:
        """Print a line a program; True when everything is ready."""
        states = self.supervisor.states()
        if not states:
            left = processes.read_records(self.place.pids)
            print(f"The supervisor is gone, but {_names(left)} still run." if left else "Not running.")
            print("`make run` starts it.")
            return False
        probes = {**self.embedded.probes(), **{each.name: each.is_ready for each in self.services}}
        where = {**self.embedded.where(), **{each.name: each.where for each in self.services}}
        ready = {name for name, state in states.items() if state.is_up and probes[name]()}
        for name in self.names:
            state = states[name]
            word = "ready" if name in ready else state.name.lower()
            since = _since(state.started) if state.is_up else ""
            print(
                f"  {name:<10}{word:<10}{since:<8}{where[name]:<26}{self.place.shown(self.place.log(name))}"
            )
        if len(ready) < len(states):
            print("Not everything is ready: `make run` brings it up, `make logs` shows what is wrong.")
            return False
        for sentence in self._metrics():
            print(f"  {sentence}")
        print(self.address)
        return True

    def _metrics(self) -> list[str]:
        """Where the figures are, if there are any."""
        pages = [f"{each.name} {each.metrics}" for each in self.services if each.metrics]
        return ["figures for Prometheus: " + ", ".join(pages)] if pages else []

    # --- down -----------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop everything that runs, whether or not a supervisor is left, and return when it is gone."""
        with self._alone():
            stopped = self._stop()
        self.progress.finish(
            f"Stopped after {self.progress.seconds:.1f} s." if stopped else "Nothing was running."
        )

    def pause(self) -> None:
        """Stop the services, and neither the servers behind them nor what would start them again."""
        with self._alone():
            names = [each.name for each in self.services]
            leaving = [each for each in processes.read_records(self.place.pids) if each.name in names]
            self.supervisor.stop_soon(names)
            processes.wait_until_gone(leaving, patience=30.0)

    def have_tables(self) -> None:
        """Raises StackError where PostgreSQL is our own and does not run."""
        probes = self.embedded.probes()
        if "postgres" in probes and not probes["postgres"]():
            raise StackError("The database does not run: make run first.")

    def _stop(self) -> bool:
        running = processes.read_records(self.place.pids)
        if running:
            self.progress.say("stopping " + _names(running))
            # First whoever uses the servers. Left to itself the supervisor stops one program a second.
            for wave in (
                [each.name for each in self.services],
                list(self.embedded.probes()),
                ["supervisord"],
            ):
                if self.supervisor.is_running():
                    self.supervisor.stop_soon(wave)
                    leaving = [record for record in running if record.name in wave]
                    processes.wait_until_gone(leaving, patience=30.0)
            # A killed supervisor leaves its programs behind, and one that hangs is no better.
            processes.end(processes.read_records(self.place.pids))
        for record in self.place.pids.glob("*.pid"):
            record.unlink()
        return bool(running)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One `make` at a time starts or stops this stack."""
        with (self.place.run / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.progress.say("waiting for another make to finish")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def command(service: Service) -> list[str]:
    """What starts it, in the environment of the stack."""
    its_own = [f"{name}={value}" for name, value in service.env.items()]
    its_command = service.command or (sys.executable, "-m", service.module)
    return [*(["env", *its_own] if its_own else []), *its_command]


def settings_of_the_last_start(place: Place, env: Mapping[str, str]) -> dict[str, str]:
    """What to look at a stack with, which may have been started with other settings than `env`."""
    try:
        note: dict[str, Any] = json.loads((place.run / NOTE).read_text())
    except FileNotFoundError:
        return {}
    settings: dict[str, str] = note["settings"]
    # That a server is not ours is remembered, its address not: there may be a password in it.
    servers = {
        name: env.get(name, "elsewhere") if name in note["outside"] else ""
        for name in ("DATABASE_URL", "REDIS_URL")
    }
    return {**settings, **servers}


def _names(records: Sequence[processes.Record]) -> str:
    return ", ".join(record.name for record in records if record.name != "supervisord") or "the supervisor"


def _since(started: int) -> str:
    seconds = max(0, int(time.time()) - started)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
