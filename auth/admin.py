"""`python -m auth admin …`: what an operator does to accounts, at the database itself.

    admin list                          everybody, administrators first
    admin add EMAIL                     make an administrator; a new account gets a link to choose a password
    admin disable EMAIL, enable EMAIL   refuse an account, and end its sessions; or let it in again
    admin delete EMAIL                  erase an account; its messages stay, under "deleted"
    admin invite [--uses N] [--days N]  a link to register by

Running services notice at once: what ends is told by the same way as a logout.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auth import fields, people
from auth.config import Config
from auth.letters import page_link
from auth.mail_tokens import MailTokens, new_token
from auth.passwords import nobodys
from auth.registration import invite_hash, new_invite
from common import database, log
from common.config import ConfigError, load
from common.database import Database
from common.errors import CwrkError
from common.migrate import migrate

MIGRATIONS = Path(__file__).parent / "migrations"

Command = Callable[[Database, Config, argparse.Namespace], Awaitable[str]]


class Failed(Exception):
    """What could not be done, for the operator."""


def main(arguments: list[str]) -> int:
    """Run one command; the exit status: 0 done, 1 could not be done, 2 wrong words or settings."""
    asked = _parser().parse_args(arguments)
    try:
        config = load(Config, os.environ)
        log.configure("auth", level="warning")
        sys.stdout.write(asyncio.run(_run(config, asked)) + "\n")
    except ConfigError as error:
        sys.stderr.write(f"auth: {error}\n")
        return 2
    except (Failed, CwrkError) as error:
        sys.stderr.write(f"auth: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth admin", description="Accounts, for the operator.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, help: str) -> argparse.ArgumentParser:  # noqa: A002  # argparse's own word
        added = commands.add_parser(name, help=help)
        added.set_defaults(run=run)
        return added

    command("list", _list, "everybody, administrators first")
    for name, run, help_text in (
        ("add", _add, "make somebody administrator, with a new account if they have none"),
        ("disable", _disable, "refuse an account and end its sessions"),
        ("enable", _enable, "let an account in again"),
        ("delete", _delete, 'erase an account; its messages stay, under "deleted"'),
    ):
        command(name, run, help_text).add_argument("email")
    invite = command("invite", _invite, "a link to register by")
    invite.add_argument("--uses", type=_positive, default=1, help="so many may register by it (1)")
    invite.add_argument("--days", type=_positive, default=7, help="it holds so long (7)")
    return parser


async def _run(config: Config, asked: argparse.Namespace) -> str:
    async with database.connect(config.database_url, size=1, patience=5) as db:
        await migrate(db, "auth", MIGRATIONS)
        run: Command = asked.run
        return await run(db, config, asked)


async def _list(db: Database, _config: Config, _asked: argparse.Namespace) -> str:
    lines = []
    async with db.connection() as connection:
        for each in await people.everybody(connection):
            marks = [
                word
                for word, holds in (
                    ("administrator", each.administrator),
                    ("disabled", each.disabled),
                    ("verified", each.email_verified),
                )
                if holds
            ]
            since = f"{each.created_at:%Y-%m-%d}"
            lines.append(
                f"{each.id}\t{each.email}\t{each.display_name}\t{since}\t{', '.join(marks)}".rstrip()
            )
    return "\n".join(lines) or "Nobody has an account yet."


async def _add(db: Database, config: Config, asked: argparse.Namespace) -> str:
    try:
        email = fields.email(asked.email)
    except fields.Wrong as wrong:
        raise Failed(f"{asked.email} {wrong}.") from None
    now = datetime.now(UTC)
    async with db.transaction() as connection:
        found = await people.promote(connection, fields.email_key(email), now)
        if found is not None:
            return f"{email} is an administrator."
        name = email.partition("@")[0][: fields.DISPLAY_NAME_MAX]
        # No password opens it until its owner has chosen one.
        closed = nobodys(config.bcrypt_cost)
        added = await people.add_administrator(connection, email, fields.email_key(email), name, closed, now)
    token = new_token()
    await MailTokens(db).add(added, "reset", token, now)
    link = page_link(config.public_url, "reset", token)
    return f"{email} is an administrator. To choose a password (once, within an hour):\n{link}"


async def _disable(db: Database, _config: Config, asked: argparse.Namespace) -> str:
    async with db.transaction() as connection:
        found = await people.disable(connection, fields.email_key(asked.email), datetime.now(UTC))
    return f"{_known(found, asked)} is disabled, and its sessions have ended."


async def _enable(db: Database, _config: Config, asked: argparse.Namespace) -> str:
    async with db.transaction() as connection:
        found = await people.enable(connection, fields.email_key(asked.email), datetime.now(UTC))
    return f"{_known(found, asked)} can log in again."


async def _delete(db: Database, _config: Config, asked: argparse.Namespace) -> str:
    async with db.transaction() as connection:
        found = await people.find(connection, fields.email_key(asked.email))
        if found is not None:
            await people.erase(connection, found, datetime.now(UTC))
    _known(found, asked)
    return f'The account of {asked.email} is erased. Its messages stay, under "deleted".'


async def _invite(db: Database, config: Config, asked: argparse.Namespace) -> str:
    invite = new_invite()
    now = datetime.now(UTC)
    expires = now + timedelta(days=asked.days)
    async with db.connection() as connection:
        await people.add_invite(connection, invite_hash(invite), asked.uses, expires, now)
    uses = "once" if asked.uses == 1 else f"{asked.uses} times"
    link = f"{config.public_url.rstrip('/')}/login?invite={invite}"
    return f"{link}\nIt can be used {uses}, until {expires:%Y-%m-%d %H:%M} UTC."


def _known(found: int | None, asked: argparse.Namespace) -> str:
    if found is None:
        raise Failed(f"Nobody has an account with {asked.email}.")
    return f"The account of {asked.email}"


def _positive(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or not 0 < int(raw[:9]) <= 100_000:
        raise argparse.ArgumentTypeError("give a number from 1 to 100000")
    return int(raw)
