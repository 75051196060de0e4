"""Where something was measured."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path


def machine(load_before: float) -> dict[str, object]:
    """The machine, what runs on it, when, and how busy it was before: near 0 is a figure to keep."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": int((_field("/proc/meminfo", "MemTotal") or "0").split()[0]) >> 10,
        "system": _field("/etc/os-release", "PRETTY_NAME", "=").strip('"') or platform.system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "measured": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load_before": round(load_before, 2),
    }


def _field(file: str, name: str, separator: str = ":") -> str:
    """What such a file says of the name; empty where there is no such file or name."""
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(separator)[2].strip() for line in lines if line.startswith(name)), "")
