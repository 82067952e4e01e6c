"""`/metrics` for Prometheus, and what is counted of HTTP. docs/monitoring.md lists every name.

Owns who may read it: a bearer token where WORKBENCH_METRICS_TOKEN is set, else only this machine, and not through a
proxy. What chats and handlers count is theirs (chats.metrics, handlers.clients.metrics); what is known anyway is asked
of the engine when somebody reads.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from django.utils.decorators import sync_and_async_middleware
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chats.engine import get_engine
from chats.limits import places_taken

__all__ = ["count_requests", "metrics"]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")

HTTP_REQUESTS = Counter("workbench_http_requests", "HTTP requests, by the route's name.", ["route", "method", "status"])
HTTP_SECONDS = Histogram("workbench_http_request_seconds", "To a response's first byte.", ["route"], buckets=BUCKETS)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All that this process has counted, in Prometheus' text format. Each process has its own."""
    if settings.WORKBENCH_METRICS_TOKEN:
        if not _knows_token(request):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    elif not _is_local(request):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _knows_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.WORKBENCH_METRICS_TOKEN)


def _is_local(request: HttpRequest) -> bool:
    """Whether it comes from this machine and nobody passed it on: a proxy's address is local, its clients' aren't."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


class EngineCollector(Collector):
    """What the engine knows now."""

    def describe(self) -> list[Metric]:
        return []  # nothing is asked of an engine that may not have started

    def collect(self) -> Iterator[Metric]:
        engine = get_engine()
        if not engine.started:
            return
        listening = [len(listeners) for port in engine.hub.ports for listeners in tuple(port.listeners.values())]
        yield GaugeMetricFamily("workbench_runs_in_progress", "Answers being written here.", len(engine.runs))
        yield GaugeMetricFamily("workbench_subscribers", "Followers of a response, live or behind.", sum(listening))
        yield GaugeMetricFamily("workbench_connections", "Open websockets and event streams.", places_taken())
        yield CounterMetricFamily(
            "workbench_abandoned_threads", "Threads left behind with a handler that won't end.", engine.loops.abandoned
        )
        relay = engine.relay
        yield CounterMetricFamily(
            "workbench_relay_failures", "Failures of the channel layer.", relay.failures if relay else 0
        )
        yield CounterMetricFamily(
            "workbench_relay_dropped", "Messages that were too many for it.", relay.dropped if relay else 0
        )


REGISTRY.register(EngineCollector())


@sync_and_async_middleware
def count_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: counts a request under its route's name when its answer begins."""

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        return _count(request, await get_response(request), began)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        return _count(request, get_response(request), began)

    return async_middleware if iscoroutinefunction(get_response) else middleware


def _count(request: HttpRequest, response: HttpResponseBase, began: float) -> HttpResponseBase:
    route = _route_of(request)
    method = request.method if request.method in METHODS else "other"
    HTTP_REQUESTS.labels(route, method, str(response.status_code)).inc()
    HTTP_SECONDS.labels(route).observe(time.perf_counter() - began)
    return response


def _route_of(request: HttpRequest) -> str:
    """The name in urls.py, or the pattern: never the path, which may be anything."""
    match = request.resolver_match
    if match is not None:
        return match.view_name if match.url_name else match.route
    return "static" if request.path.startswith(settings.STATIC_URL) else "unmatched"
