"""Tools that must stay out of the project's environment, each in one of its own under `.run/tools`."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def installed(name: str, *requirements: str) -> Path:
    """The folder with the programs of the environment `name`, installed at the first use."""
    venv = ROOT / ".run" / "tools" / name
    stamp = venv / "installed"
    wanted = "\n".join(requirements)
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"  installing {', '.join(requirements)}", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
        stamp.write_text(wanted)
    return venv / "bin"
