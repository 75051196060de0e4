"""A collector of traces: what OTLP over HTTP brings, decoded."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATIENCE_S = 20


class Collector:
    """Spans by service, as they come."""

    def __init__(self) -> None:
        self.url = ""
        self.raw = b""
        self._spans: list[tuple[str, Span]] = []
        self._came = threading.Condition()

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        with self._came:
            self.raw += body
            for resource in request.resource_spans:
                names = {each.key: each.value.string_value for each in resource.resource.attributes}
                for scope in resource.scope_spans:
                    self._spans += [(names["service.name"], span) for span in scope.spans]
            self._came.notify_all()

    def trace_with(self, trace_id: str, *names: str) -> list[tuple[str, Span]]:
        """The spans of this trace, once all of `names` are among them."""

        def here() -> list[tuple[str, Span]]:
            return [(service, span) for service, span in self._spans if span.trace_id.hex() == trace_id]

        with self._came:
            if not self._came.wait_for(
                lambda: set(names) <= {f"{service} {span.name}" for service, span in here()}, PATIENCE_S
            ):
                raise TimeoutError(
                    f"only {sorted(f'{service} {span.name}' for service, span in here())} came"
                )
            return here()

    def named(self, name: str) -> list[tuple[str, Span]]:
        """The first of this name that come, of any trace."""

        def here() -> list[tuple[str, Span]]:
            return [(service, span) for service, span in self._spans if span.name == name]

        with self._came:
            if not self._came.wait_for(here, PATIENCE_S):
                raise TimeoutError(f"no span {name} came")
            return here()


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens on loopback."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
