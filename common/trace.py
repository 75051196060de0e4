"""Traces: what one request caused in all services, and how long each part of it took.

W3C Trace Context: one `traceparent` goes with a request, whether or not anybody looks.

    00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
       the whole request's id           this hop's id    flags

Where OTEL_EXPORTER_OTLP_ENDPOINT is set each hop is a span of OpenTelemetry too, told to a collector
(common/spans.py). Spans are made at the edges alone: a request, a call, a statement. None holds a token, a
value of a statement, a text, a name or an address as it was asked for, in which an invite may stand.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

HEADER = "traceparent"
# Later versions begin the same way and may go on after the flags; ff is none.
SHAPE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")

Kind = Literal["server", "client", "internal"]
Attributes = Mapping[str, str | int]

# Of the request that is being handled; empty outside one.
current: ContextVar[str] = ContextVar(HEADER, default="")


class Span(Protocol):
    """A part of a trace that goes on."""

    traceparent: str

    def says(self, *, name: str = "", failed: str = "", **attributes: str | int) -> None:
        """What is known only later: a better name, attributes, the code it failed with."""


class Recorder(Protocol):
    """Who keeps spans: common/spans.py, or nobody."""

    def span(self, name: str, kind: Kind, parent: str, attributes: Attributes) -> Span: ...
    def end(self, span: Span) -> None: ...
    def statement(self, parent: str, text: str, seconds: float, failed: str) -> None: ...


#: Set while spans are told to somebody.
recorder: Recorder | None = None


class _Unrecorded:
    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def says(self, *, name: str = "", failed: str = "", **attributes: str | int) -> None:
        pass


@contextmanager
def hop(name: str, sent: str, *, recorded: bool = True, **attributes: str | int) -> Iterator[Span]:
    """A request that came in, with the traceparent that was `sent`: a part of that trace, or a new one."""
    if recorder is None or not recorded:
        span: Span = _Unrecorded(take_part(sent))
        current.set(span.traceparent)
        yield span
        return
    with _recorded(recorder, name, "server", sent if SHAPE.fullmatch(sent) else "", attributes) as span:
        yield span


@contextmanager
def span(
    name: str, kind: Kind = "internal", *, root: bool = False, **attributes: str | int
) -> Iterator[None]:
    """A part of what is being handled; where nothing is, or it is a `root`, a trace of its own.

    Costs nothing where nobody listens.
    """
    if recorder is None:
        yield
        return
    with _recorded(recorder, name, kind, "" if root else current.get(), attributes):
        yield


@contextmanager
def _recorded(
    recorder: Recorder, name: str, kind: Kind, parent: str, attributes: Attributes
) -> Iterator[Span]:
    begun = recorder.span(name, kind, parent, attributes)
    before = current.set(begun.traceparent)
    try:
        yield begun
    except BaseException as error:
        begun.says(failed=getattr(error, "code", type(error).__name__))
        raise
    finally:
        recorder.end(begun)
        current.reset(before)


def take_part(sent: str) -> str:
    """This hop's traceparent: of the trace that was `sent`, or of a new one where nothing good was."""
    match = SHAPE.fullmatch(sent)
    if match is None or (sent.startswith("00-") and match[3]):
        return f"00-{secrets.token_hex(16)}-{_hop()}-00"
    return f"00-{match[1]}-{_hop()}-{int(match[2], 16) & 1:02x}"


def _hop() -> str:
    # All zeros would be none; the lowest bit costs one of 2^64 ids.
    return f"{secrets.randbits(64) | 1:016x}"
