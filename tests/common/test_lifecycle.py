"""A service as the supervisor sees it: ready, drained at SIGTERM, and a sentence when a setting is wrong."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from common.lifecycle import background

ROOT = Path(__file__).parents[2]
SERVICE = """
import sys
from contextlib import asynccontextmanager
from common.config import Common
from common.lifecycle import run

@asynccontextmanager
async def serve(config):
    yield
    sys.stderr.write("drained\\n")

sys.exit(run("demo", Common, serve))
"""


async def start(**environ: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, cwd=ROOT, stderr=asyncio.subprocess.PIPE, env=os.environ | environ
    )


async def test_background_work_ends_though_it_swallows_a_cancellation() -> None:
    swallowed = 0

    async def work() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 1:
                    raise

    async with background(work, "stubborn"):
        await asyncio.sleep(0)
    assert swallowed == 2


async def test_sigterm_drains_and_exits_cleanly() -> None:
    process = await start()
    assert process.stderr
    assert b"ready" in await process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, rest = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert [word for word in (b"stopping", b"drained", b"stopped") if word in rest] == [
        b"stopping",
        b"drained",
        b"stopped",
    ]


async def test_a_wrong_setting_is_one_sentence_and_status_2() -> None:
    process = await start(LOG_LEVEL="loud")
    _, said = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 2
    assert said.decode().startswith("demo: LOG_LEVEL must be one of debug, info, warning, error")
    assert "Traceback" not in said.decode()
