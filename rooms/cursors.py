"""Cursors: a place in a list, opaque to clients and sealed, so that only our own come back; tickets, too."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from common.errors import Malformed

MAC_BYTES = 16


class Cursors:
    """Seals and opens cursors. `scope` says which list: a cursor of another list is foreign."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, scope: str, position: str) -> str:
        """The cursor for `position` in the list `scope`."""
        raw = position.encode()
        return _text(self._mac(scope, raw) + raw)

    def open(self, scope: str, cursor: str) -> str:
        """The position in `cursor`. Raises Malformed (INVALID_CURSOR) unless we sealed it for this list."""
        try:
            sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (ValueError, binascii.Error):
            raise invalid() from None
        mac, raw = sealed[:MAC_BYTES], sealed[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(scope, raw)) or cursor != _text(sealed):
            raise invalid()
        return raw.decode()

    def _mac(self, scope: str, raw: bytes) -> bytes:
        return hmac.digest(self._secret, scope.encode() + b"\0" + raw, hashlib.sha256)[:MAC_BYTES]


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def invalid() -> Malformed:
    return Malformed("This cursor is not one of this list's.", code="INVALID_CURSOR")
