"""Who schemathesis is: one person for most routes, and a new one for each try of those that end a session."""

import itertools
import json
import os
import urllib.request
from typing import Any

import schemathesis

URL = os.environ["CWRK_URL"]
ENDS_A_SESSION = ["logout", "deleteMe", "endSessions", "endSession", "changePassword"]
_numbers = itertools.count()


class Somebody:
    """Registers, and shows that account's token."""

    def get(self, _case: Any, _context: Any) -> str:
        body = {
            "email": f"schemathesis{next(_numbers)}-{os.getpid()}@example.org",
            "displayName": "Schemathesis",
            "password": "a meteor of its own",
        }
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{URL}/auth/register", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return str(json.load(answer)["accessToken"])

    def set(self, case: Any, data: str, _context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=ENDS_A_SESSION)
class SomebodyNew(Somebody):
    pass


@schemathesis.auth(refresh_interval=600).skip_for(operation_id=ENDS_A_SESSION)
class TheSame(Somebody):
    pass
