"""Spans of OpenTelemetry, told to a collector by OTLP over HTTP. Imported only where one is set.

A collector that is slow or away costs nothing but its spans: they wait in a bounded queue, a thread of its
own sends them, with a deadline, and what does not fit is dropped. What else there is to set the SDK reads by
itself (OTEL_TRACES_SAMPLER, OTEL_BSP_…, OTEL_EXPORTER_OTLP_HEADERS, …).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from common import VERSION, trace

DEADLINE_SECONDS = 5
LAST_SECONDS = 2.0  # for what is left when a service stops
LONGEST_STATEMENT = 2000

KINDS = {
    "server": otel.SpanKind.SERVER,
    "client": otel.SpanKind.CLIENT,
    "internal": otel.SpanKind.INTERNAL,
}


@asynccontextmanager
async def told(service: str, endpoint: str) -> AsyncIterator[None]:
    """While this is entered, spans are told to the collector at `endpoint`."""
    about = {"service.name": service, "service.namespace": "cwrkplanet", "service.version": VERSION}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=DEADLINE_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    # It logs each of its tries, with a traceback; that it fails at all is told once in a while.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    trace.recorder = Recorder(provider.get_tracer("cwrkplanet"))
    try:
        yield
    finally:
        trace.recorder = None
        # A thread that nothing waits for: a dead collector keeps no service from stopping.
        last = threading.Thread(target=provider.shutdown, name="spans", daemon=True)
        last.start()
        give_up = time.monotonic() + LAST_SECONDS
        while last.is_alive() and time.monotonic() < give_up:  # noqa: ASYNC110  # a thread sets no event here
            await asyncio.sleep(0.02)


class Span:
    """One that goes on."""

    def __init__(self, span: otel.Span) -> None:
        self.kept = span
        context = span.get_span_context()
        ids = f"{otel.format_trace_id(context.trace_id)}-{otel.format_span_id(context.span_id)}"
        self.traceparent = f"00-{ids}-{context.trace_flags:02x}"

    def says(self, *, name: str = "", failed: str = "", **attributes: str | int) -> None:
        if name:
            self.kept.update_name(name)
        for key, value in attributes.items():
            self.kept.set_attribute(_key(key), value)
        if failed:
            _fail(self.kept, failed)


class Recorder:
    """As trace.Recorder."""

    def __init__(self, tracer: otel.Tracer) -> None:
        self._tracer = tracer

    def span(self, name: str, kind: trace.Kind, parent: str, attributes: trace.Attributes) -> Span:
        known = {_key(key): value for key, value in attributes.items()}
        return Span(self._tracer.start_span(name, context=_under(parent), kind=KINDS[kind], attributes=known))

    def end(self, span: trace.Span) -> None:
        if isinstance(span, Span):
            span.kept.end()

    def statement(self, parent: str, text: str, seconds: float, failed: str) -> None:
        """One of SQL that is over. Its values are in none of ours: they go beside it."""
        plain = " ".join(text.split())
        verb = plain.partition(" ")[0].rstrip(";").upper()
        ended = time.time_ns()
        span = self._tracer.start_span(
            verb,
            context=_under(parent),
            kind=otel.SpanKind.CLIENT,
            attributes={
                "db.system.name": "postgresql",
                "db.operation.name": verb,
                "db.query.text": plain[:LONGEST_STATEMENT],
            },
            start_time=ended - int(seconds * 1e9),
        )
        if failed:
            _fail(span, failed)
        span.end(ended)


def _under(parent: str) -> Context:
    """The context below this traceparent; an empty one begins a trace."""
    match = trace.SHAPE.fullmatch(parent)
    if match is None:
        return Context()
    hop = parent.split("-")[2]
    flags = otel.TraceFlags(int(match[2], 16) & 1)
    there = otel.SpanContext(int(match[1], 16), int(hop, 16), is_remote=True, trace_flags=flags)
    return otel.set_span_in_context(otel.NonRecordingSpan(there), Context())


def _fail(span: otel.Span, code: str) -> None:
    """By its code alone: what an exception says may have a value in it."""
    span.set_status(otel.StatusCode.ERROR)
    span.set_attribute("error.type", code)


def _key(name: str) -> str:
    """http_route is http.route, and where one underscore is to stay there are two: rpc_status__code."""
    return name.replace("__", "\0").replace("_", ".").replace("\0", "_")
