"""`python -m auth`: the auth service, until SIGTERM."""

from auth.config import Config
from auth.serve import serve
from common.lifecycle import run

raise SystemExit(run("auth", Config, serve))
