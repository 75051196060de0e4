import sys

from common.lifecycle import run
from rooms.config import Config
from rooms.serve import serve

sys.exit(run("rooms", Config, serve))
