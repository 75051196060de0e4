"""What an operator can set about auth."""

from __future__ import annotations

import os
from dataclasses import dataclass

from auth.mail import Server, sender, server
from common.config import Common, ConfigError, address, choice, integer, page, setting, text


@dataclass(frozen=True)
class KeysConfig(Common):
    """What concerns the signing keys: all that `python -m auth keys` needs."""

    keys_dir: str = setting(
        "AUTH_KEYS_DIR",
        "The folder of the signing keys and the refresh secret; made at the first start. Replicas share it.",
        ".run/keys",
        parse=text,
    )


@dataclass(frozen=True)
class Config(KeysConfig):
    database_url: str = setting(
        "DATABASE_URL", "PostgreSQL, as in postgresql://user:password@host:5432/name.", secret=True
    )
    listen: str = setting(
        "AUTH_LISTEN", "Where auth's gRPC listens, host:port.", "127.0.0.1:50051", parse=address
    )
    database_connections: int = setting(
        "AUTH_DATABASE_CONNECTIONS", "At most so many connections to PostgreSQL.", 10, parse=integer(1, 1000)
    )
    # 12 is some 0.2 s of one core: dear to a guesser, bearable to a person. 4 is the least bcrypt knows.
    bcrypt_cost: int = setting(
        "BCRYPT_COST", "How dear a password's hash is; each step doubles it.", 12, parse=integer(4, 16)
    )
    password_threads: int = setting(
        "PASSWORD_THREADS",
        "So many passwords are hashed at once; one a core if not set.",
        os.cpu_count() or 1,
        parse=integer(1, 256),
    )
    password_queue: int = setting(
        "PASSWORD_QUEUE",
        "So many more may wait, some 0.2 s each; the next is told to come back.",
        16,
        parse=integer(0, 10_000),
    )
    registration: str = setting(
        "REGISTRATION",
        "Who may register: open (anybody), invite (by `python -m auth admin invite`) or closed (nobody).",
        "open",
        parse=choice("open", "invite", "closed"),
    )
    registrations_address: int = setting(
        "REGISTRATIONS_ADDRESS",
        "Accounts that may be opened from one address in a day without an invite; the next ones wait, at most"
        " 5 minutes each; 0 for any.",
        500,
        parse=integer(0, 10**6),
    )
    mail: Server | None = setting(  # noqa: RUF009  # as the others: a field, and its default is frozen
        "MAIL_URL",
        "The mail server, as in smtp://user:password@mail.example.org:587?starttls=required, or smtps://…;"
        " without it no letters are sent.",
        None,
        parse=server,
        secret=True,
    )
    mail_from: str = setting(
        "MAIL_FROM", "Whom letters are from, as in cwrkPlanet <study@example.org>.", "", parse=sender
    )
    public_url: str = setting(
        "PUBLIC_URL",
        "The page's address, for the links in letters and invites; never taken from a request.",
        "http://localhost:8080",
        parse=page,
    )
    development: int = setting(
        "DEVELOPMENT",
        "1: without MAIL_URL letters are shown in the log, with links that let whoever reads it reset a"
        " password. Never where others are.",
        0,
        parse=integer(0, 1),
    )
    session_idle_days: int = setting(
        "SESSION_IDLE_DAYS", "A session not used for so long ends.", 30, parse=integer(1, 3650)
    )
    session_max_days: int = setting(
        "SESSION_MAX_DAYS", "A session this old ends, however much it is used.", 180, parse=integer(1, 3650)
    )
    session_retention_days: int = setting(
        "SESSION_RETENTION_DAYS",
        "A session is forgotten, with its address and device, so long after its end; 0 keeps all of them.",
        30,
        parse=integer(0, 3650),
    )

    def __post_init__(self) -> None:
        if self.mail is not None and not self.mail_from:
            raise ConfigError("MAIL_URL is set, so MAIL_FROM must be: whom the letters are from.")
