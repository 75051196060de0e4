"""Compiles the packet loop with the machine's own C compiler, once for each version of its sources.

It is a plain shared library that is given libsrtp's functions and calls nothing else but the C library: no
headers of Python's, and nothing to install. `python -m media.native.build` does it ahead of time, for an
image say.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from cffi import FFI  # type: ignore[import-untyped]  # ships no types

FOLDER: Final = Path(__file__).resolve().parent
API: Final = FOLDER / "api.h"
BUILT = FOLDER / "built"
_FLAGS: Final = ("-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-fPIC", "-shared", "-pthread")
_SECONDS: Final = 120


class NotBuiltError(Exception):
    """There can be no native loop here; the message says why."""


def build() -> Path:
    """The library, compiled if it was not. Raises NotBuiltError."""
    if sys.platform != "linux":
        raise NotBuiltError("it is for Linux")
    # SANITIZE=address,undefined is for the tests: python must then be started with libasan preloaded.
    sanitize = os.environ.get("SANITIZE")
    flags = (*_FLAGS, *((f"-fsanitize={sanitize}", "-fno-sanitize-recover") if sanitize else ()))
    sources = sorted(FOLDER.glob("*.c"))
    digest = hashlib.sha256(repr((platform.machine(), platform.libc_ver(), flags)).encode())
    for path in (*sources, *sorted(FOLDER.glob("*.h"))):
        digest.update(path.read_bytes())
    built = BUILT / f"loop-{digest.hexdigest()[:16]}.so"
    if not built.exists():
        compiler = os.environ.get("CC") or next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if compiler is None:
            raise NotBuiltError("there is no C compiler (apt install gcc libc6-dev)")
        _compile([compiler, *flags, *map(str, sources), "-lm"], built)
    return built


def _compile(command: list[str], built: Path) -> None:
    try:
        built.parent.mkdir(exist_ok=True)
        # Several workers may start at once: each compiles for itself, and the last one's stays.
        with tempfile.TemporaryDirectory(dir=built.parent) as folder:
            made = Path(folder) / built.name
            done = subprocess.run(  # noqa: S603  # the machine's compiler
                [*command, "-o", str(made)], capture_output=True, text=True, check=False, timeout=_SECONDS
            )
            if done.returncode != 0:
                lines = [line for line in done.stderr.splitlines() if "error" in line] or ["it said nothing"]
                raise NotBuiltError(f"{command[0]} failed: {lines[0]}")
            made.replace(built)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuiltError(f"it cannot be compiled: {error}") from None


def declarations() -> FFI:
    ffi = FFI()
    ffi.cdef(API.read_text("utf-8"))
    return ffi


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build()}\n")
    except NotBuiltError as reason:
        sys.exit(f"No native packet loop, the one in Python does its work: {reason}.")
