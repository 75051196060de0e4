"""`python -m media`: one media worker, or several."""

import sys

from common import lifecycle
from media.config import Config
from media.workers import serve_with_workers

sys.exit(lifecycle.run("media", Config, serve_with_workers))
