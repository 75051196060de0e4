"""`python -m bench`: all of it, one bench after the other, and then the tables and plots of `bench/results/`.

    python -m bench [--only forward join …] [--report]

`--report` measures nothing. Each bench can be run by itself too, with more options, and in pieces:
`python -m bench.forward --only "room of 20" --repeat 5 --json bench/results/forward.json`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.report import page, store

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "capacity.md"
PARTS: Final = {
    "forward": ["--repeat", "5"],
    "join": ["--repeat", "5"],
    "memory": ["--repeat", "3"],
    "capacity": [],
    "loss": [],
    "crowd": [],
    "rest": ["--repeat", "3"],
    "chat": ["--repeat", "3"],
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--report", action="store_true", help="only write the tables and plots anew")
    options = parser.parse_args()
    failed = []
    for name in [] if options.report else options.only:
        print(f"== bench.{name}", flush=True)
        command = [sys.executable, "-m", f"bench.{name}", *PARTS[name]]
        done = subprocess.run([*command, "--json", str(store.FOLDER / f"{name}.json")], check=False)
        if done.returncode:
            failed.append(name)
    page.write()
    page.write_capacity(DOCUMENT)
    print(f"{store.FOLDER}/README.md has the tables and plots, {DOCUMENT} what a machine carries")
    if failed:
        print("failed, and left as it was: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
