"""The errors of the domain, and the one place where they become statuses.

    CwrkError
    ├── Malformed         cannot be read at all: broken JSON, a foreign cursor
    ├── InvalidFields     can be read, but a field is wrong; says which and why
    ├── Unauthenticated   no token, or one that does not hold
    ├── Forbidden         known, but may not
    ├── NotFound
    ├── Conflict          the state does not allow it: EMAIL_TAKEN, ROOM_FULL
    ├── TooMany           over a limit; says when to come back
    ├── Unavailable       something behind is down; says when to come back
    ├── TooSlow           something behind did not answer in time
    └── Internal          our own fault; the log has it, the answer does not

Every error has a `code` (stable, upper snake case), a `message` (one sentence
for a person, safe to show) and, where it makes sense, `retry_after` in seconds.
Services raise these; only the three tables below know about gRPC, HTTP and
websocket close codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import grpc


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request."""

    field: str
    message: str


class CwrkError(Exception):
    """The root: never raised itself."""

    default_code = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retry_after: float | None = None,
        errors: tuple[FieldError, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.retry_after = retry_after
        self.errors = errors

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later, unchanged."""
        return isinstance(self, (TooMany, Unavailable, TooSlow))


class Malformed(CwrkError):
    default_code = "BAD_REQUEST"


class InvalidFields(CwrkError):
    """Wrong fields. Always carries at least one `FieldError`."""

    default_code = "INVALID_FIELDS"

    def __init__(self, *errors: FieldError, code: str | None = None) -> None:
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors), code=code, errors=errors)


class Unauthenticated(CwrkError):
    default_code = "UNAUTHENTICATED"


class Forbidden(CwrkError):
    default_code = "FORBIDDEN"


class NotFound(CwrkError):
    default_code = "NOT_FOUND"


class Conflict(CwrkError):
    default_code = "CONFLICT"


class TooMany(CwrkError):
    default_code = "RATE_LIMITED"


class Unavailable(CwrkError):
    default_code = "UNAVAILABLE"


class TooSlow(CwrkError):
    default_code = "TIMEOUT"


class Internal(CwrkError):
    default_code = "INTERNAL"


# InvalidFields and Malformed share a gRPC status; the field errors tell them apart.
GRPC_STATUS: dict[type[CwrkError], grpc.StatusCode] = {
    Malformed: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidFields: grpc.StatusCode.INVALID_ARGUMENT,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    NotFound: grpc.StatusCode.NOT_FOUND,
    Conflict: grpc.StatusCode.FAILED_PRECONDITION,
    TooMany: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    TooSlow: grpc.StatusCode.DEADLINE_EXCEEDED,
    Internal: grpc.StatusCode.INTERNAL,
}

HTTP_STATUS: dict[type[CwrkError], int] = {
    Malformed: 400,
    InvalidFields: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooMany: 429,
    Unavailable: 503,
    TooSlow: 504,
    Internal: 500,
}

# Close codes of docs/protocol.md: 40xx do not retry, 41xx back off.
CLOSE_CODE: dict[type[CwrkError], int] = {
    Malformed: 4000,
    InvalidFields: 4000,
    Unauthenticated: 4001,
    Forbidden: 4003,
    NotFound: 4004,
    Conflict: 4003,
    TooMany: 4102,
    Unavailable: 4103,
    TooSlow: 4103,
    Internal: 4100,
}
