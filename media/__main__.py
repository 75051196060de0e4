"""`python -m media`: one media worker, or several."""

import sys

from media.huge_pages import restart_in_huge_pages

restart_in_huge_pages()  # before the rest is imported: that is done twice otherwise

from common import lifecycle  # noqa: E402
from media.config import Config  # noqa: E402
from media.workers import serve_with_workers  # noqa: E402

sys.exit(lifecycle.run("media", Config, serve_with_workers))
