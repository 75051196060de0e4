"""`python -m auth`: the auth service, until SIGTERM. `python -m auth keys …`: its signing keys.

`python -m auth admin …`: accounts, for the operator.
"""

import sys

from auth import admin, keys_command
from auth.config import Config
from auth.serve import serve
from common.lifecycle import run

if sys.argv[1:2] == ["keys"]:
    raise SystemExit(keys_command.run(sys.argv[2:]))
if sys.argv[1:2] == ["admin"]:
    raise SystemExit(admin.main(sys.argv[2:]))
raise SystemExit(run("auth", Config, serve))
