"""supervisord, which keeps everything up: its configuration, starting it, and talking to it."""

import configparser
import contextlib
import http.client
import shlex
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dev.child import Owner, tail
from dev.place import Place, StackError

# What asking a supervisor that is not there, or just leaving, ends in.
NOT_THERE = (OSError, http.client.HTTPException, xmlrpc.client.Error)


@dataclass(frozen=True)
class Program:
    """One program to keep up. It is asked to stop by `stop_signal` and may take `grace` seconds to."""

    name: str
    command: Sequence[str]
    owner: Owner | None = None
    stop_signal: str = "TERM"
    grace: int = 15


@dataclass(frozen=True)
class State:
    """What the supervisor says of a program: RUNNING, STARTING, BACKOFF, FATAL, EXITED or STOPPED."""

    name: str
    pid: int
    started: int

    @property
    def is_up(self) -> bool:
        return self.name in ("STARTING", "RUNNING")

    @property
    def is_leaving(self) -> bool:
        return self.name == "STOPPING"

    @property
    def is_waiting(self) -> bool:
        """It died right after its start and will be tried again, later each time."""
        return self.name == "BACKOFF"


def write_config(place: Place, programs: Sequence[Program]) -> None:
    """The configuration. The environment is not in it but inherited, so that no secret is in the file."""
    config = configparser.RawConfigParser()
    config["unix_http_server"] = {"file": str(place.supervisor_socket), "chmod": "0700"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisord"] = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": str(place.log("supervisor")),
        "logfile_maxbytes": "5MB",
        "logfile_backups": "1",
        "pidfile": str(place.run / "supervisord.pid"),
        "childlogdir": str(place.logs),
        "directory": str(place.root),
    }
    for priority, program in enumerate(programs):
        config[f"program:{program.name}"] = {
            "command": shlex.join(launched(place, program.name, program.command, program.owner)),
            "directory": str(place.root),
            # We start each when what it needs is ready; from then on the supervisor restarts it.
            "autostart": "false",
            "autorestart": "true",
            "startsecs": "1",
            "startretries": "1000",
            "priority": str(priority + 1),
            "stopsignal": program.stop_signal,
            "stopwaitsecs": str(program.grace),
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(place.log(program.name)),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "2",
        }
    for section in config.values():
        for key, value in section.items():
            section[key] = value.replace("%", "%%")  # supervisord expands %(…)s
    with place.supervisor_config.open("w") as file:
        config.write(file)


def launched(place: Place, name: str, command: Sequence[str], owner: Owner | None = None) -> list[str]:
    """`command` as run through `dev.launch`."""
    become = ["--as", f"{owner.uid}:{owner.gid}"] if owner else []
    return [sys.executable, "-S", "-m", "dev.launch", *become, str(place.pids / f"{name}.pid"), *command]


class Supervisor:
    """The supervisord of one place, which may or may not be running."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def start(self, env: Mapping[str, str], *, patience: float = 15.0) -> None:
        """Start supervisord in the background and wait until it listens. It does not end with us."""
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._place.supervisor_config)]
        log = self._place.log("supervisor")
        with log.open("ab") as output:
            process = subprocess.Popen(
                launched(self._place, "supervisord", command),
                env=dict(env),
                cwd=self._place.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + patience
        while not self.is_running():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise StackError(
                    f"The supervisor did not start; its log {self._place.shown(log)} ends:\n{tail(log)}"
                )
            time.sleep(0.02)
        process.returncode = 0  # it is meant to outlive us: no warning that it still runs

    def is_running(self) -> bool:
        with contextlib.suppress(*NOT_THERE), self._ask() as ask:
            return bool(ask.supervisor.getState()["statename"] == "RUNNING")
        return False

    def states(self) -> dict[str, State]:
        """All programs; empty when supervisord is not there."""
        answer: list[dict[str, Any]] = []
        with contextlib.suppress(*NOT_THERE), self._ask() as ask:
            answer = ask.supervisor.getAllProcessInfo()
        return {info["name"]: State(info["statename"], info["pid"], info["start"]) for info in answer}

    def start_program(self, name: str) -> None:
        """Start one, without waiting for it to be up."""
        self._tell("startProcess", name, False, unless="ALREADY_STARTED")

    def stop_program(self, name: str) -> None:
        """Stop one and wait for it."""
        self._tell("stopProcess", name, True, unless="NOT_RUNNING")

    def stop_soon(self, names: Sequence[str]) -> None:
        """Ask the programs, or `supervisord` itself, to stop; returns at once."""
        for name in names:
            with contextlib.suppress(*NOT_THERE), self._ask() as ask:
                if name == "supervisord":
                    ask.supervisor.shutdown()
                else:
                    ask.supervisor.stopProcess(name, False)

    def _tell(self, order: str, name: str, wait: bool, *, unless: str) -> None:
        try:
            with self._ask() as ask:
                getattr(ask.supervisor, order)(name, wait)
        except xmlrpc.client.Fault as fault:
            if unless not in fault.faultString:
                raise StackError(f"The supervisor refuses {order} for {name}: {fault.faultString}.") from None
        except OSError:
            raise StackError("The supervisor is gone. `make run` starts it again.") from None

    def _ask(self) -> Any:
        return xmlrpc.client.ServerProxy("http://supervisor", transport=_Transport(self._place))


class _Connection(http.client.HTTPConnection):
    """HTTP over the supervisor's unix socket."""

    def __init__(self, place: Place) -> None:
        super().__init__("supervisor", timeout=60)
        self._path = str(place.supervisor_socket)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.close()
            raise


class _Transport(xmlrpc.client.Transport):
    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        connection = _Connection(self._place)
        self._connection = (None, connection)  # where close() looks for it
        return connection
