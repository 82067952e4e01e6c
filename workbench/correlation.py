"""A correlation id for each HTTP request: on its log lines, in its answer's header, in what a fault tells the user.

A proxy that is trusted (WORKBENCH_TRUST_PROXY) may give its own in X-Correlation-Id; nobody else may write into logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from chats.logcontext import correlated

__all__ = ["correlate_requests"]

HEADER = "X-Correlation-Id"
SHAPE = re.compile(r"[A-Za-z0-9._-]{8,64}")


@sync_and_async_middleware
def correlate_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: see the module."""

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        correlation_id = _id_for(request)
        with correlated(correlation_id):
            return _named(await get_response(request), correlation_id)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        correlation_id = _id_for(request)
        with correlated(correlation_id):
            return _named(get_response(request), correlation_id)

    return async_middleware if iscoroutinefunction(get_response) else middleware


def _id_for(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "") if settings.WORKBENCH_TRUST_PROXY else ""
    return given if SHAPE.fullmatch(given) else str(uuid4())


def _named(response: HttpResponseBase, correlation_id: str) -> HttpResponseBase:
    response.headers[HEADER] = correlation_id
    return response
