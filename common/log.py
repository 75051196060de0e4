"""Logs: structlog, one line an event, to standard error.

One line when a connection opens, one when it closes, none per message or
packet. Fields that could hold a secret are dropped whoever logs them.
"""

from __future__ import annotations

import logging
import sys
from typing import cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_FIELDS = frozenset(
    {"access_token", "authorization", "cookie", "password", "refresh_token", "sdp", "service_token", "token"}
)


def drop_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace what must never be in a log; the last line of defence, not the first."""
    for name in SECRET_FIELDS & event.keys():
        event[name] = "[hidden]"
    return event


def configure(service: str, *, level: str = "info", format: str = "console") -> None:  # noqa: A002  # the setting's own name
    """Set up structlog and the standard library's logging (aiohttp, grpc) to the same output."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        drop_secrets,
    ]
    # Tracebacks without the values of variables: a token may be among them, and where `rich` is installed
    # structlog would take seconds to draw them, in which nothing else happens.
    last: list[Processor]
    if format == "json":
        as_values = ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(as_values), structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Not through the standard library's logging, which would double what a line costs.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries speak up only when something is wrong; our own lines follow `level`.
    root.setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `log = get("rooms.hub")`."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger(f"cwrk.{name}"))
