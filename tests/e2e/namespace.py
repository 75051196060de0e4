"""The real services in the network of the tests' own (dev/namespace.py), and their addresses there.

Where there is none, the tests run on loopback and the Firefox part is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dev.namespace import ADDRESS, ADDRESS_V6, enter, inside
from tests import services
from tests.services import Stack

__all__ = ["ADDRESS", "ADDRESS_V6", "enter", "insecure_url", "inside", "stack"]


@contextmanager
def stack(workers: int = 1) -> Iterator[Stack]:
    """The real services, at every address there is in here; voices at the one a Firefox accepts."""
    if not inside():
        with services.running(workers=workers) as running:
            yield running
        return
    # In a network of our own nobody else can knock.
    with services.running(
        listen="0.0.0.0", media_host=ADDRESS, origins=(ADDRESS,), workers=workers
    ) as running:
        yield running


def insecure_url(running: Stack) -> str:
    """The same page by an address that browsers do not trust as they trust loopback."""
    return running.url.replace("127.0.0.1", ADDRESS)
