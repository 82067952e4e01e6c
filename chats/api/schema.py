"""GET schema/ and docs/: what the API is, for programs and for people."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import get_script_prefix
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from rest_framework import exceptions
from rest_framework.request import Request

from chats.api.door import Door
from handlers.encoding import canonical_json

__all__ = ["DocsDoor", "SchemaDoor"]


@method_decorator(gzip_page, name="dispatch")
class SchemaDoor(Door):
    """GET schema/: the OpenAPI document. It's the same for everybody, and asks who is there as every door does."""

    def get(self, request: Request) -> HttpResponse:
        text, etag = _encoded(get_script_prefix())
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        known = get_conditional_response(request._request, etag=etag)
        if known is not None and known.status_code == 304:
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(text, content_type="application/json", headers=headers)


@method_decorator(gzip_page, name="dispatch")
class DocsDoor(Door):
    """GET docs/: the document as a page, made here: no script, and nothing from elsewhere."""

    def get(self, request: Request) -> HttpResponse:
        from chats.api.openapi.page import page_of_document  # made at first need

        response = render(request._request, "chats/api/page.html", page_of_document(get_script_prefix()))
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    def handle_exception(self, exc: Exception) -> Any:
        """A browser that isn't logged in is led to the login and back."""
        accepts = self.request.headers.get("Accept", "")
        if isinstance(exc, exceptions.NotAuthenticated) and "text/html" in accepts:
            return redirect_to_login(self.request.get_full_path(), settings.LOGIN_URL)
        return super().handle_exception(exc)


@lru_cache(maxsize=8)
def _encoded(mounted_at: str) -> tuple[bytes, str]:
    """The document's bytes and their ETag."""
    from chats.api.openapi.document import document  # made at first need

    text = canonical_json(document()).encode()
    return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'
