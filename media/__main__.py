"""`python -m media`: one media worker."""

import sys

from common import lifecycle
from media.config import Config
from media.service import serve

sys.exit(lifecycle.run("media", Config, serve))
