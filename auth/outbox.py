"""Where letters go: to the mail server, in development to the log, else nowhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from prometheus_client import Metric

from auth.config import Config
from auth.mail import Letter, Mailer
from auth.recovery import Post
from common import log
from common.metrics import Page, counter, gauge

logger = log.get("auth.outbox")


@asynccontextmanager
async def outbox(config: Config, page: Page) -> AsyncIterator[Post | None]:
    """How to post a letter; None where there is no mail, which is said once, here."""
    if config.mail is not None:
        async with Mailer(config.mail, config.mail_from) as mailer:
            page.reads(lambda: figures(mailer))
            yield mailer.post
    elif config.development:
        logger.warning("no MAIL_URL: letters are shown in this log, links and all, since DEVELOPMENT=1")
        yield show
    else:
        logger.warning("no MAIL_URL: no letters, so nobody can verify an address or reset a password")
        yield None


def figures(mailer: Mailer) -> Iterator[Metric]:
    yield counter("cwrk_auth_letters", "What became of letters.", mailer.outcomes, "outcome")
    yield gauge("cwrk_auth_letters_waiting", "Letters on their way.", mailer.waiting)


def show(letter: Letter) -> None:
    """The whole letter in the log, link and all."""
    logger.info(f"a letter ({letter.kind}):\n{letter.text}")
