"""`python -m dev run|stop|status|logs|admin|doctor|backup|restore`: what the targets of the Makefile call."""

import os
import sys
from pathlib import Path

from dev import backups, lan
from dev.logs import follow
from dev.misspelt import known, misspelt
from dev.place import Place, StackError
from dev.postgres import PostgresError
from dev.services import services
from dev.settings import read_env_file, resolve
from dev.stack import Stack, settings_of_the_last_start
from dev.valkey import ValkeyError


def main(command: str) -> int:
    root = Path(__file__).resolve().parent.parent
    place = Place(root, root / ".run")
    place.prepare()
    env = resolve(place, os.environ)
    if command != "run":
        env = resolve(place, {**os.environ, **settings_of_the_last_start(place, env)})
    elif lan.is_wanted(env):
        env |= lan.settings(env) | lan.trusted(place, env)
        lan.prepare(place, env)
    stack = Stack(place, env, (*services(env), *lan.services(place, env)))
    match command:
        case "run":
            given = {*os.environ, *read_env_file(root / ".env")}
            for sentence in misspelt(given, known(root / ".env.example")):
                stack.progress.say(sentence)
            stack.run()
            if lan.is_wanted(env):
                print(lan.told(place, env))
        case "stop":
            stack.stop()
        case "pause":  # of deploy/restore
            stack.pause()
        case "status":
            return 0 if stack.status() else 1
        case "logs":
            follow(place, stack.names, os.environ.get("SERVICE", ""))
        case "admin":
            addresses = stack.embedded.addresses_known()
            asked = [sys.executable, "-m", "auth", "admin", *sys.argv[2:]]
            os.execve(sys.executable, asked, {**env, **addresses})  # noqa: S606  # no shell is meant
        case "doctor":
            told = {**env, **stack.embedded.addresses_known(), **lan.trusted(place, env)}
            os.execve(sys.executable, [sys.executable, "-m", "doctor"], told)  # noqa: S606  # no shell is meant
        case "backup" | "restore":
            database_url = {**env, **stack.embedded.addresses_known()}["DATABASE_URL"]
            stack.have_tables()
            backups.run(command, place, env, database_url, " ".join(sys.argv[2:]))
        case _:
            raise StackError(
                f"There is no command {command!r}: run, stop, status, logs, admin, doctor, backup or restore."
            )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
    except (StackError, PostgresError, ValkeyError) as error:
        sys.exit(str(error))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
