"""Starting a server as a direct child that cannot outlive us."""

import ctypes
import importlib.util
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Owner:
    """The system user a server runs as when we are root."""

    uid: int
    gid: int


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` by which Linux sends `death_signal` to the child when we die, however we die.

    It has to run after the change of user, which would clear it; subprocess keeps that order.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)

    return ask_the_kernel


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    owner: Owner | None = None,
    death_signal: signal.Signals = signal.SIGINT,
    folder: Path = Path("/"),
    env: Mapping[str, str] | None = None,
    keeps: Collection[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in `folder`, its output going to `log`; with our environment where `env` is None.

    `keeps` are file descriptors of ours that it has too.

    It gets a session of its own: a Ctrl-C in our terminal is not for it. To Linux "we" are the thread that
    calls this: the child does not outlive that either.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=env,
            start_new_session=True,
            preexec_fn=die_with_parent(death_signal),
            user=owner.uid if owner else None,
            group=owner.gid if owner else None,
            extra_groups=() if owner else None,
            pass_fds=keeps,
        )


def package_folder(name: str) -> Path:
    """Where an installed package lies, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{name} is not installed: `make run` installs it.", name=name)
    return Path(spec.origin).parent


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message; empty when there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
