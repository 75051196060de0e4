"""Which packet loop carries the voices: the one in C where it can be had, else the one in Python."""

from __future__ import annotations

import functools

from common import log
from common.config import ConfigError
from media.forwarder import Forwarder
from media.native.build import NotBuiltError
from media.native.loop import ALWAYS, AUTO, NEVER, NativeLoop
from media.packet_loop import MakeLoop, Rates

logger = log.get("media.loops")


def choose(name: str, overload: str = "auto") -> MakeLoop:
    """The loop of that name. Raises ConfigError where it is `native` and cannot be had."""
    if name == "python":
        return Forwarder
    try:
        NativeLoop((), Rates())
    except NotBuiltError as reason:
        if name == "native":
            raise ConfigError(f"MEDIA_LOOP=native: {reason}; MEDIA_LOOP=auto does without.") from None
        logger.info("voices are carried by the packet loop in Python", why=str(reason))
        return Forwarder
    logger.info("voices are carried by the native packet loop")
    shares = {"auto": AUTO, "always": ALWAYS, "never": NEVER}[overload]
    return functools.partial(NativeLoop, overload=shares)
