"""`python -m gateway`: the gateway, until SIGTERM."""

from common.lifecycle import run
from gateway.config import Config
from gateway.serve import serve

raise SystemExit(run("gateway", Config, serve))
