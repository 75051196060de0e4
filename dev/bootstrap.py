"""Stage one of every make target: the environment, `.venv`, exactly as the hashed lock says.

    python3 dev/bootstrap.py [--dev]

It runs on any Python 3 with nothing but the standard library, and does nothing when there is nothing to do.
With --dev the tools of the tests are there too. Nothing is ever compiled: every package comes as a wheel.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time

if sys.version_info < (3, 11):  # noqa: UP036  # the point is to say so to whoever has an older one
    sys.exit(
        "This needs Python 3.11 or newer, and {} is {}.{}. Install a newer one, or name it: "
        "make run PYTHON=python3.12".format(sys.executable, *sys.version_info)
    )

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class BootstrapError(Exception):
    """The environment cannot be made; the message says what to do."""


def main(arguments: list[str]) -> None:
    lock = ROOT / ("requirements-dev.lock" if "--dev" in arguments else "requirements.lock")
    with alone_in(ROOT):
        ensure(ROOT / ".venv", lock)


def ensure(venv: Path, lock: Path) -> None:
    """Have `venv` hold what `lock` says."""
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = venv / f"{lock.name}.installed"
    if not works(venv):
        make(venv)
    elif stamp.exists() and stamp.read_text() == wanted:
        return
    started = time.monotonic()
    print(f"  installing the packages of {lock.name} into {venv.name} (once)", flush=True)
    install(venv, lock)
    stamp.write_text(wanted)
    print(f"  installed in {time.monotonic() - started:.0f} s", flush=True)


def works(venv: Path) -> bool:
    """Whether there is an environment whose Python runs: one that was copied or upgraded away does not."""
    python = venv / "bin" / "python"
    check = "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make(venv: Path) -> None:
    """Make an empty environment, in place of a broken one."""
    uv = shutil.which("uv")
    if not uv and not importlib.util.find_spec("ensurepip"):
        raise BootstrapError(
            "This Python has no venv module. Install it (apt install python3-venv) and try again."
        )
    if (venv / "pyvenv.cfg").exists():
        shutil.rmtree(venv)
    print(f"  making {venv.name} with Python {sys.version.split()[0]}", flush=True)
    command = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    made = subprocess.run([*command, str(venv)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise BootstrapError(f"{venv} cannot be made: {last_line(made.stdout + made.stderr)}")


def install(venv: Path, lock: Path) -> None:
    """Install `lock`, with uv where it is to be had."""
    python = str(venv / "bin" / "python")
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--python", python]
    else:
        command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--retries", "2"]
    command += ["--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    total = len(re.findall(r"^[a-zA-Z0-9]", lock.read_text(), re.MULTILINE))
    output = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        seen = 0
        for line in process.stdout or ():
            output.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied")):
                seen += 1
                show_count(seen, total)
    show_count(0, 0)
    if process.returncode != 0:
        raise BootstrapError(explain("".join(output)))


def show_count(seen: int, total: int) -> None:
    """How far it is, on a terminal; a pipe gets no line that would be overwritten."""
    if sys.stdout.isatty():
        print(f"\r  {seen} of {total} packages" if total else "\r\033[K", end="", flush=True)


def explain(output: str) -> str:
    """What a failed installation means, and its own last words."""
    if re.search(r"do not match the hashes|Hash mismatch", output):
        reason = "A package is not the one that the lock names. Do not use it: tell us which."
    elif re.search(r"onnection|[Nn]ame resolution|timed out|dns error|error sending request", output):
        reason = "The package index cannot be reached: look at the network, or at the proxy (HTTPS_PROXY)."
    elif re.search(r"No matching distribution|no wheels|No solution found", output):
        reason = (
            f"A package has no wheel for Python {sys.version.split()[0]} on {os.uname().machine}, "
            "or the package index does not have it. Try another Python: make run PYTHON=python3.12"
        )
    elif re.search(r"No space left", output):
        reason = "The disk is full: the packages take about 300 MB."
    else:
        reason = "The packages cannot be installed."
    return f"{reason}\n    {last_line(output)}"


def last_line(output: str) -> str:
    """The line that says most: the last that calls itself an error, else the last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it gave no reason"]
    return next((line for line in reversed(lines) if "rror" in line), lines[-1])


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Two makes at once take turns."""
    if not os.access(folder, os.W_OK):
        raise BootstrapError(f"{folder} is not yours to write in: run make as its owner, or in a copy.")
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BootstrapError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
