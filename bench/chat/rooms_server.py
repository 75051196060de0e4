"""`python -m bench.chat.rooms_server`: the rooms service, for senders who write faster than people may."""

import sys

from common.lifecycle import run
from rooms.config import Config
from rooms.core import limits
from rooms.serve import serve

limits.CHAT_PER_SECOND = limits.CHAT_BURST = limits.FRAMES_PER_SECOND = 1_000_000

sys.exit(run("rooms", Config, serve))
