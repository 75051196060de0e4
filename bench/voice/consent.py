"""What may be loaded: a server of ours, by who runs it. Pure, but for `is_ours`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

NAME: Final = "cwrkPlanet"
#: So much on this machine itself asks nobody.
PEOPLE: Final = 20
SECONDS: Final = 60.0
#: Never more: a token lives for 15 minutes, and what was made is to be deleted with it.
MOST_PEOPLE: Final = 500
MOST_SECONDS: Final = 600.0


class NotAllowed(Exception):
    """The load does not begin; the text says why."""


@dataclass(frozen=True)
class Load:
    """What is asked for."""

    url: str
    people: int
    seconds: float

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotAllowed(
                f"--url is the page's address, as in https://study.example.org, not {self.url!r}."
            )
        if self.people > MOST_PEOPLE or self.seconds > MOST_SECONDS:
            raise NotAllowed(f"At most {MOST_PEOPLE} people and {MOST_SECONDS:.0f} seconds.")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def question(self) -> str | None:
        """What the one who runs the server has to confirm first, by its name; None where nothing."""
        if _is_here(self.host) and self.people <= PEOPLE and self.seconds <= SECONDS:
            return None
        return (
            f"{self.people} people will talk for {self.seconds:.0f} s on {self.host}. Everybody else there"
            " notices. Go on only with a server that you run."
        )


def _is_here(host: str) -> bool:
    """Whether it is this machine, by an address that leads nowhere else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def is_ours(http: aiohttp.ClientSession, url: str) -> None:
    """Raises NotAllowed where what answers does not say our name, or nothing answers."""
    try:
        async with http.get(f"{url}/openapi.json", allow_redirects=False) as answer:
            title = (await answer.json(content_type=None))["info"]["title"] if answer.status == 200 else ""
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotAllowed(f"{url} does not answer: {error or type(error).__name__}.") from None
    except (ValueError, LookupError, TypeError):
        title = ""
    if title != NAME:
        raise NotAllowed(f"{url} does not answer with our name: this is for servers of {NAME} only.")
