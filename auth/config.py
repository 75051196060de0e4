"""What an operator can set about auth."""

from __future__ import annotations

import os
from dataclasses import dataclass

from common.config import Common, address, choice, integer, setting, text


@dataclass(frozen=True)
class Config(Common):
    database_url: str = setting(
        "DATABASE_URL", "PostgreSQL, as in postgresql://user:password@host:5432/name.", secret=True
    )
    listen: str = setting(
        "AUTH_LISTEN", "Where auth's gRPC listens, host:port.", "127.0.0.1:50051", parse=address
    )
    keys_dir: str = setting(
        "AUTH_KEYS_DIR",
        "The folder of the signing keys and the refresh secret; made at the first start. Replicas share it.",
        ".run/keys",
        parse=text,
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
    session_idle_days: int = setting(
        "SESSION_IDLE_DAYS", "A session not used for so long ends.", 30, parse=integer(1, 3650)
    )
    session_max_days: int = setting(
        "SESSION_MAX_DAYS", "A session this old ends, however much it is used.", 180, parse=integer(1, 3650)
    )
