"""Free ports: those that nobody listens on, and that nobody else has chosen who does not listen yet."""

import socket
import subprocess
import sys
from contextlib import ExitStack

from dev import ports

ONE_AND_WAIT = "from dev import ports; print(ports.free_port(), flush=True); input()"


def test_no_two_processes_choose_from_the_same_ports() -> None:
    with ExitStack() as exits:
        processes = [
            exits.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", ONE_AND_WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            for _ in range(20)
        ]
        chosen = [int(process.stdout.readline()) for process in processes if process.stdout]
        for process in processes:
            process.communicate(b"\n")
    assert len({port // ports.BLOCK for port in [*chosen, ports.free_port()]}) == len(processes) + 1


def test_no_port_comes_twice_while_whoever_has_it_may_not_listen_yet() -> None:
    chosen = ports.free_ports(2 * ports.BLOCK)
    assert len(set(chosen)) == len(chosen)
    first = ports.free_row(4)
    assert not set(range(first, first + 4)).intersection(chosen)


def test_one_with_a_listener_is_passed_over() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.is_free(port, udp=True)
