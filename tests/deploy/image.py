"""`make image-steps`: what the Dockerfile says, done without Docker. Wants Linux, and root.

Each of its stages is an overlay over this machine's own system, in place of the image that it is built FROM:
the steps are tried, with this machine's Debian and Python. Then the services run from the last one as in
docker-compose.yml: as its USER, on a read-only root, without capabilities; and two people talk.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dev.tools import ROOT
from tests import services, stack
from tests.integration.student import PASSWORD, Student

INSIDE = "CWRK_IMAGE_MOUNTS"
PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KEYS = "var/lib/cwrkplanet"


def steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    """The instructions, each with what follows it, in one line."""
    lines = [line for line in dockerfile.splitlines() if line.strip() and not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


class Stage:
    """One stage, at `root`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.root = folder / name / "root"
        self.work, self.user = "/", "0:0"
        self.env: dict[str, str] = {"PATH": PATHS, "HOME": "/"}
        for each in ("root", "upper", "work"):
            (folder / name / each).mkdir(parents=True)
        layers = f"lowerdir=/,upperdir={folder / name / 'upper'},workdir={folder / name / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        for each in ("proc", "dev"):
            run("mount", "--rbind", f"/{each}", self.root / each)

    def command(self, *words: str) -> list[str]:
        """Runs in here as the image would."""
        settings = [f"{name}={value}" for name, value in self.env.items()]
        user = ["setpriv", "--no-new-privs", "--bounding-set=-all"] if self.user != "0:0" else []
        inside = ["/usr/bin/env", f"--chdir={self.work}", *settings, *user, *words]
        return ["chroot", f"--userspec={self.user}", str(self.root), *inside]

    def copy(self, arguments: str, made: dict[str, Stage], context: Path) -> None:
        """COPY [--from=STAGE] [--chown=UID:GID] SOURCE TARGET."""
        *flags, source, target = arguments.split()
        options = dict(flag.removeprefix("--").split("=") for flag in flags)
        into = self.root / Path(self.work, target).as_posix().lstrip("/")
        into.parent.mkdir(parents=True, exist_ok=True)
        found = made[options["from"]].root / source.lstrip("/") if "from" in options else context / source
        if found.is_dir():
            shutil.copytree(found, into, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(found, into)
        if "chown" in options:
            run("chown", "-R", options["chown"], into)


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def context(folder: Path) -> Path:
    """What .dockerignore lets through: names that begin with ! are let through, the rest is not."""
    to = folder / "context"
    to.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            found = ROOT / line[1:].rstrip("/")
            (to / found.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir() and line != "!docs/":
                without = shutil.ignore_patterns("__pycache__", "built")
                shutil.copytree(found, to / found.relative_to(ROOT), ignore=without)
            elif found.is_file():
                shutil.copy2(found, to / found.relative_to(ROOT))
    return to


def build(folder: Path) -> Stage:
    """All stages; the last one."""
    made: dict[str, Stage] = {}
    name = ""
    sources = context(folder)
    for word, rest in steps((ROOT / "Dockerfile").read_text()):
        print(f"{word} {rest}", flush=True)
        if word == "FROM":
            name = rest.partition(" AS ")[2] or "last"
            made[name] = Stage(folder, name)
            continue
        stage = made[name]
        match word:
            case "RUN":
                run(*stage.command("sh", "-ec", rest))
            case "COPY":
                stage.copy(rest, made, sources)
            case "WORKDIR":
                stage.work = rest
                (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "ENV":
                settings = dict(setting.split("=", 1) for setting in shlex.split(rest))
                stage.env |= {key: value.replace("$PATH", PATHS) for key, value in settings.items()}
            case "USER":
                stage.user = rest
            case _:
                raise ValueError(f"{word} is not known here.")
    return made[name]


async def talk(chain: services.Stack) -> None:
    """Two people write and hear each other."""
    async with (
        Student.registered(chain.url, chain.ws_url, "Anna") as anna,
        Student.registered(chain.url, chain.ws_url, "Boris") as boris,
    ):
        room = await anna.create_room("Image")
        async with anna.in_room(room), boris.in_room(room):
            await anna.say("hello", "1")
            assert (await boris.frame("chat"))["message"] == "hello"
            await anna.speak_up()
            await boris.speak_up()
            assert await anna.is_heard_by(boris)


def main() -> int:
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        unshare: Sequence[str] = ["unshare", "--mount", "--propagation", "private"]
        os.execvp(unshare[0], [*unshare, sys.executable, "-m", "tests.deploy.image"])
    with stack.scratch_folder() as folder:
        run("mount", "-t", "tmpfs", "tmpfs", folder)  # an overlay's upper layer may not be an overlay
        folder.chmod(0o711)
        stage = build(folder)
        keys = stage.root / KEYS
        assert os.stat(keys).st_uid == int(stage.user.partition(":")[0]), "a new volume would be root's"
        for volume in (keys, stage.root / "tmp"):
            run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", volume)
        run("mount", "-o", "remount,bind,ro", stage.root)
        python = stage.command("python")
        about = subprocess.check_output(stage.command("sh", "-c", "id -u; touch x 2>&1 || true"), text=True)
        assert about.split("\n", 1)[0] == stage.user.partition(":")[0], about
        assert "Read-only file system" in about, about
        settings = {"AUTH_KEYS_DIR": f"/{KEYS}/keys", "MEDIA_LOOP": "native"}
        with services.running(settings=settings, passwords=(PASSWORD,), python=python) as chain:
            asyncio.run(talk(chain))
        run("umount", "-l", folder)
    print("Every step was done, and two people talked through what came of it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
