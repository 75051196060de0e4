"""`make lock`: both lock files anew, with the newest versions that pyproject.toml allows.

One lock holds what `make run` installs, the other adds the tools of the tests and keeps the first one's
versions. Both hold for every platform and Python that the project supports.
"""

import shutil
import subprocess

from dev.tools import ROOT, installed

COMPILE = ("pip", "compile", "--universal", "--generate-hashes", "--upgrade", "--quiet")
# No address of a package index in the files: yours is no concern of others.
CLEAN = ("--no-header", "--no-emit-index-url", "--no-emit-find-links")


def main() -> None:
    uv = shutil.which("uv") or str(installed("uv", "uv") / "uv")
    for group, constraint, lock in (
        ("stack", (), "requirements.lock"),
        ("test", ("-c", "requirements.lock"), "requirements-dev.lock"),
    ):
        command = [uv, *COMPILE, *CLEAN, "pyproject.toml", "--group", group, *constraint, "-o", lock]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        print(f"Wrote {lock}.")


if __name__ == "__main__":
    main()
