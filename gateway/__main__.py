"""`python -m gateway`: the gateway, until SIGTERM."""

from common.lifecycle import run
from gateway.config import Config
from gateway.workers import serve_with_workers

raise SystemExit(run("gateway", Config, serve_with_workers))
