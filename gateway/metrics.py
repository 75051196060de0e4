"""What the gateway counts: requests by route, errors by code."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from prometheus_client import Counter, Histogram, Metric

from common.metrics import Page, gauge
from gateway.rates import Rates

# What leads nowhere: the path and the method are whatever somebody made up.
NOWHERE = ("nowhere", "any")


class Requests:
    """Counts on `page`, for as long as that lasts."""

    def __init__(self, page: Page, rates: Rates) -> None:
        self._ended = Counter(
            "cwrk_http_requests", "Requests answered.", ["route", "method", "status"], registry=page.registry
        )
        self._seconds = Histogram(
            "cwrk_http_seconds", "How long they took.", ["route", "method"], registry=page.registry
        )
        self._errors = Counter(
            "cwrk_http_errors", "Answers that are a problem.", ["code"], registry=page.registry
        )
        self._errors.labels("INTERNAL")  # from 0 on, so that the first one is a rise
        page.reads(lambda: figures(rates))

    def ended(self, route: str, method: str, status: int, seconds: float) -> None:
        self._ended.labels(route, method, status).inc()
        self._seconds.labels(route, method).observe(seconds)

    def failed(self, code: str) -> None:
        self._errors.labels(code).inc()


def where(request: web.Request) -> tuple[str, str]:
    """The route, as it is written and not as it was asked for, and the method."""
    resource = request.match_info.route.resource
    return (resource.canonical, request.method) if resource is not None else NOWHERE


def figures(rates: Rates) -> Iterable[Metric]:
    if rates.redis_is_well is not None:
        yield gauge("cwrk_redis_up", "Whether requests are counted in Redis.", rates.redis_is_well)
