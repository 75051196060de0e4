"""`python -m rooms` but for its rates: a client says here in a second what a person says in an hour."""

import sys

from common.lifecycle import run
from rooms.config import Config
from rooms.core import limits
from rooms.serve import serve

limits.CHAT_PER_SECOND = limits.CHAT_BURST = limits.FRAMES_PER_SECOND = 100_000

sys.exit(run("rooms", Config, serve))
