"""`make lock`: the lock files anew, with the newest versions that pyproject.toml allows.

One lock holds what `make run` installs. Another adds the tools of the tests, and the image's leaves out the
servers; both keep the first one's versions. All hold for every platform and Python that the project supports.
"""

import shutil
import subprocess

from dev.tools import ROOT, installed

COMPILE = ("pip", "compile", "--universal", "--generate-hashes", "--upgrade", "--quiet")
# No address of a package index in the files: yours is no concern of others.
CLEAN = ("--no-header", "--no-emit-index-url", "--no-emit-find-links")


def main() -> None:
    uv = shutil.which("uv") or str(installed("uv", "uv") / "uv")
    same = ("-c", "requirements.lock")
    for wanted, lock in (
        (("--group", "stack"), "requirements.lock"),
        (("--group", "test", *same), "requirements-dev.lock"),
        (same, "requirements-image.lock"),
    ):
        command = [uv, *COMPILE, *CLEAN, "pyproject.toml", *wanted, "-o", lock]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        print(f"Wrote {lock}.")


if __name__ == "__main__":
    main()
