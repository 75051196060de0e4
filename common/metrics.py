"""What a service counts, told to Prometheus: `/metrics`, on an address of its own.

What happens with each packet or delivery is counted where it happens, in plain
numbers, and read from there when somebody asks (`Page.reads`). prometheus_client's
own objects, which cost a microsecond or two, are for what is rarer: a call, a batch.

No label holds what people wrote, who they are or which room it is: neither has an
end, and the page has no password. docs/operations.md says what to watch.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, Info, ProcessCollector
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common import VERSION, readiness
from common.config import ConfigError
from common.database import Database
from common.errors import CwrkError
from common.lifecycle import background
from common.readiness import Part
from common.unreadable import Runner

LAG_SECONDS = 0.25  # between two looks how late the event loop is
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Page:
    """The figures of one service."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        about = {"service": service, "version": VERSION, "python": platform.python_version()}
        Info("cwrk_build", "What runs.", registry=self.registry).info(about)
        self.reads(_tasks)
        self._lag = Histogram(
            "cwrk_event_loop_lag_seconds",
            "How late the event loop is with what is due: everybody waits for that.",
            buckets=LAGS,
            registry=self.registry,
        )

    def reads(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Has `read` called each time somebody asks."""
        self.registry.register(_Reader(read))

    def shows(self, *counted: Collector) -> None:
        """Has these on it as well, which count on their own."""
        for each in counted:
            self.registry.register(each)

    async def watch_loop(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + LAG_SECONDS
            await asyncio.sleep(LAG_SECONDS)
            self._lag.observe(max(0.0, clock() - due))


def _tasks() -> Iterable[Metric]:
    """The page is asked for within the loop, so it is that loop's."""
    yield gauge(
        "cwrk_event_loop_tasks", "What the event loop has begun and not ended.", len(asyncio.all_tasks())
    )


class _Reader(Collector):
    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


class Calls:
    """gRPC calls that a service answers, by method; and how they ended: OK, or an error's code."""

    def __init__(self) -> None:
        self.ended = Counter("cwrk_grpc_calls", "Calls answered.", ["method", "code"], registry=None)
        self.seconds = Histogram("cwrk_grpc_seconds", "How long a call took.", ["method"], registry=None)

    @contextlib.contextmanager
    def counted(self, method: str, *, timed: bool) -> Iterator[None]:
        """Around one call. How long a stream is open says nothing: that is not `timed`."""
        began, code = time.perf_counter(), "OK"
        try:
            yield
        except CwrkError as error:
            code = error.code
            raise
        except (asyncio.CancelledError, GeneratorExit):
            code = "CANCELLED"
            raise
        except BaseException:
            code = "INTERNAL"
            raise
        finally:
            self.ended.labels(method, code).inc()
            if timed:
                self.seconds.labels(method).observe(time.perf_counter() - began)


def counter(name: str, says: str, value: float | Mapping[str, float], label: str = "") -> Metric:
    """What only grows; its name on the page ends in `_total`. With a `label` a number for each of these."""
    family = CounterMetricFamily(name, says, labels=[label] if label else [])
    return _filled(family, value)


def gauge(name: str, says: str, value: float | Mapping[str, float], label: str = "") -> Metric:
    """What is so now."""
    family = GaugeMetricFamily(name, says, labels=[label] if label else [])
    return _filled(family, value)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, value: float | Mapping[str, float]) -> Metric:
    if isinstance(value, Mapping):
        for of, each in value.items():
            family.add_metric([of], each)
    else:
        family.add_metric([], value)
    return family


def pools(**databases: Database) -> Iterable[Metric]:
    """The connections to PostgreSQL, by what they are for."""
    pool = databases.items()
    open_ = {name: database.size for name, database in pool}
    yield gauge("cwrk_database_connections", "Connections that are open.", open_, "pool")
    busy = {name: database.busy for name, database in pool}
    yield gauge("cwrk_database_connections_busy", "Connections in use.", busy, "pool")
    most = {name: database.most for name, database in pool}
    yield gauge("cwrk_database_connections_max", "Connections there may be.", most, "pool")
    waiting = {name: database.waiting for name, database in pool}
    yield gauge("cwrk_database_waiting", "Who waits for a connection.", waiting, "pool")
    lost = {name: database.lost for name, database in pool}
    yield counter("cwrk_database_lost", "How often the server did not answer.", lost, "pool")


@asynccontextmanager
async def serve(listen: str, page: Page, parts: Sequence[Part] = ()) -> AsyncIterator[None]:
    """Serves the page at `listen` (host:port), if that is set, and beside it `/readyz` of these parts.

    Raises ConfigError when it cannot be had.
    """
    if not listen:
        yield
        return
    app = web.Application()
    app.router.add_get("/metrics", make_aiohttp_handler(page.registry, disable_compression=True))
    if parts:
        app.router.add_get("/readyz", readiness.page(parts))
    async with AsyncExitStack() as stack:
        runner = Runner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        host, _, port = listen.rpartition(":")
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            raise ConfigError(
                f"METRICS_LISTEN={listen} cannot be listened on ({error.strerror}); "
                "stop what uses it, or choose another."
            ) from None
        await stack.enter_async_context(background(page.watch_loop, "metrics"))
        yield
