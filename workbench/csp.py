"""The Content-Security-Policy of every page, with a nonce for the one inline script that needs it.

Strict, with Trusted Types that allow no policy at all: pages build DOM nodes, never HTML text. The admin's jQuery
can't, so it goes without those two directives. Django brings a middleware of its own in 6.0; this can go then.
"""

import secrets
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware

HEADER = "Content-Security-Policy"
DIRECTIVES = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types 'none'"


@sync_and_async_middleware
def content_security_policy(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: `request.csp_nonce` on the way in, the header on the way out (a view's own header stays)."""

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        nonce = _attach_nonce(request)
        return _add_policy(request, await get_response(request), nonce)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        nonce = _attach_nonce(request)
        return _add_policy(request, get_response(request), nonce)

    return async_middleware if iscoroutinefunction(get_response) else middleware


def csp_nonce(request: HttpRequest) -> dict[str, str]:
    """Context processor: `{{ csp_nonce }}`, for `<script type="importmap" nonce="…">`."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}


def _attach_nonce(request: HttpRequest) -> str:
    nonce = secrets.token_urlsafe(16)
    request.csp_nonce = nonce  # type: ignore[attr-defined]
    return nonce


def _add_policy(request: HttpRequest, response: HttpResponseBase, nonce: str) -> HttpResponseBase:
    if settings.DEBUG and response.status_code in {404, 500}:
        return response  # Django's own pages for developers style themselves inline
    policy = DIRECTIVES.format(nonce=nonce)
    if not request.path.startswith(reverse("admin:index")):
        policy += TRUSTED_TYPES
    response.headers.setdefault(HEADER, policy)
    return response
