"""What may go wrong, as one small tree.

    ClientError
    ├── Refused          the server said no; `code` is its stable word for why
    │   └── Closed       the room's websocket was closed for good: kicked, banned, the room is gone
    ├── SignedOut        nobody is logged in, or not any more
    ├── Unreachable      no answer within the deadline, or no way to the server
    │   └── Unanswered   a message was not acked in time: whether it is saved is not known
    ├── VoiceEnded       this voice will not come back by itself
    └── ProtocolError    the server said what this client cannot read

Program against `code` (`ROOM_FULL`, `NOT_A_MEMBER`, …); docs/protocol.md has them.
"""

from __future__ import annotations

from dataclasses import dataclass


class ClientError(Exception):
    """The root: never raised itself."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request."""

    field: str
    message: str


class Refused(ClientError):
    """`status` is HTTP's; 0 for a refusal on the websocket. `retry_after`: seconds, where waiting helps."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 0,
        retryable: bool = False,
        retry_after: float | None = None,
        fields: tuple[FieldError, ...] = (),
        request_id: str = "",
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.retryable, self.retry_after = retryable, retry_after
        self.fields, self.request_id = fields, request_id


class Closed(Refused):
    """`close_code` is the websocket's (RFC 6455, section 7.4), `code` its reason: `KICKED`, `LEFT`."""

    def __init__(self, close_code: int, code: str) -> None:
        super().__init__(code or "CLOSED", f"the connection was closed for good ({close_code})")
        self.close_code = close_code


class SignedOut(ClientError):
    """Log in (again)."""


class Unreachable(ClientError):
    """The same call may succeed later."""


class Unanswered(Unreachable):
    """Say it again with the same `client_msg_id`: it is there once, whatever became of the first."""

    def __init__(self, client_msg_id: str) -> None:
        super().__init__(f"not acked in time, and may be saved or not: {client_msg_id}")
        self.client_msg_id = client_msg_id


class VoiceEnded(ClientError):
    """`reason`: `taken_over` when the same person speaks from elsewhere, `left` after `leave`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the voice has ended: {reason}")
        self.reason = reason


class ProtocolError(ClientError):
    """Another server than this client was written for; or a fault of either."""
