"""What the doctor finds from here: `python -m doctor`, a process of its own, with this one's settings."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass

from common import log
from common.errors import TooSlow, Unavailable

#: The doctor gives up each way by itself long before.
DEADLINE_SECONDS = 60.0

logger = log.get("rooms.examination")


@dataclass(frozen=True, slots=True)
class Finding:
    """`about`: which part. `state`: well, odd or wrong. `todo`: what to change, where something is to be."""

    about: str
    state: str
    said: str
    todo: str


class Examination:
    """One at a time: who asks while there is one is told what that one finds."""

    def __init__(self) -> None:
        self._running: asyncio.Task[list[Finding]] | None = None

    async def findings(self) -> list[Finding]:
        """Raises TooSlow, and Unavailable where the doctor itself fails."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(_examine())
        return await asyncio.shield(self._running)  # one who goes takes it from nobody else


async def _examine() -> list[Finding]:
    doctor = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "doctor",
        "--json",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            found, said = await doctor.communicate()
    except TimeoutError:
        raise TooSlow("The doctor has not come to an end.") from None
    finally:
        if doctor.returncode is None:
            doctor.kill()
    if doctor.returncode != 0:
        logger.error(
            "the doctor failed", status=doctor.returncode, said=said.decode(errors="replace")[-1000:]
        )
        raise Unavailable("The doctor does not come; the log of rooms says why.", code="DOCTOR_FAILED")
    return [Finding(**json.loads(line)) for line in found.splitlines()]
