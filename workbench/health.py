"""Probes. `/healthz`: this process answers. `/readyz`: it can do its work too, or 503 with the part that can't.

healthz asks nothing of the database, so that a slow one gets no process restarted. readyz is for a load
balancer: database, migrations, the journal's writer, the channel layer, and whether there are more processes than
can hear of each other.

Answered by a middleware before all others rather than by URLs: probes come by address and by plain HTTP, and
ALLOWED_HOSTS or the redirect to HTTPS would turn them away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from channels.layers import BaseChannelLayer, get_channel_layer
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chats.engine import get_engine
from chats.models import Worker
from chats.protocol import DoorError
from chats.relay import shared_layer
from workbench.metrics import metrics

__all__ = ["answer_probes", "healthz", "readyz"]

logger = logging.getLogger(__name__)

WRITER_PATIENCE = 5.0  # seconds
LAYER_PATIENCE = 3.0  # seconds
BEATING = timedelta(seconds=5)  # two beats and a half: whoever has been silent for longer is gone, or will be
_migrated = False


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


class NotReady(Exception):
    """A part can't do its work. The text names nothing that a stranger should not know."""


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    failing = {name: reason for name, check in CHECKS.items() if (reason := _failure(name, check)) is not None}
    return JsonResponse({"ready": not failing, "failing": failing}, status=503 if failing else 200)


def _failure(name: str, check: Callable[[], None]) -> str | None:
    try:
        check()
    except NotReady as error:
        return str(error)
    except Exception:
        # The border: whatever a backend raises, this part isn't ready, and the log says why.
        logger.exception("The readiness check of the %s failed.", name)
        return "It failed; the log has the details."
    return None


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_migrations() -> None:
    global _migrated  # noqa: PLW0603 - once applied they stay applied; looking costs 30 ms
    if _migrated:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("Migrations aren't applied; run manage.py migrate.")
    _migrated = True


def _check_writer() -> None:
    try:
        get_engine().write(get_engine().lease.require).result(timeout=WRITER_PATIENCE)
    except DoorError as refusal:
        raise NotReady(refusal.message) from refusal
    except TimeoutError as error:
        raise NotReady(
            f"The writer takes no work; it may be waiting for the database. {WRITER_PATIENCE:g} s."
        ) from error


def _check_channel_layer() -> None:
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(_send)(layer)


async def _send(layer: BaseChannelLayer) -> None:
    try:
        async with asyncio.timeout(LAYER_PATIENCE):
            await layer.group_send("readiness", {"type": "ready"})
    except TimeoutError as error:
        raise NotReady(f"Redis doesn't answer within {LAYER_PATIENCE:g} s.") from error


def _check_processes() -> None:
    """Without a layer that they share, processes split the hub, and nobody would notice but by delays."""
    if shared_layer() is not None:
        return
    alive = Worker.objects.filter(ended_at=None, beat_at__gt=Now() - BEATING).count()
    if alive > 1:
        raise NotReady(
            f"{alive} processes use this database and REDIS_URL isn't set, so they don't hear of each other's answers. "
            "Set REDIS_URL for each of them, or run one."
        )


CHECKS: dict[str, Callable[[], None]] = {
    "database": _check_database,
    "migrations": _check_migrations,
    "writer": _check_writer,
    "channel_layer": _check_channel_layer,
    "processes": _check_processes,
}

PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


@sync_and_async_middleware
def answer_probes(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: answers a probe, and hands on everything else."""

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path)
        return await sync_to_async(probe)(request) if probe else await get_response(request)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path)
        return probe(request) if probe else get_response(request)

    return async_middleware if iscoroutinefunction(get_response) else middleware
