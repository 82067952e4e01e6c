"""A refusal in the reader's language: what the doors, HTTP and the websocket, tell of a DoorError.

Owns the words for each code. A refusal's own words are said where it is made: those with a translation in the
catalogue are told in it, of the others the code's words are, which say less and are understood. What is
wrong with a field is told in the reader's language where the catalogue has that, else as it was said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language_from_request, gettext
from django.utils.translation import gettext_noop as _

from chats.protocol import DoorError

__all__ = ["WORDS", "language_of", "told", "told_fault"]

WORDS = {
    "invalid_json": _("This page sent something that the server can't read. Reload it."),
    "unknown_type": _("This page sent something that the server doesn't know. Reload it."),
    "invalid": _("Something in it isn't right."),
    "unauthorized": _("Sign in first."),
    "forbidden": _("You may not do this."),
    "not_found": _("That isn't there, or it isn't yours."),
    "busy": _("Another answer is being written here. Wait for it."),
    "conflict": _("That can't be done, since it would contradict what is there."),
    "too_large": _("That is too large."),
    "unsupported_type": _("Files of this type can’t be attached."),
    "rate_limited": _("That was too much at once. Wait a moment."),
    "handler_unavailable": _("Who is to answer isn't available at the moment."),
    "unavailable": _("The server can't do this at the moment. Try again shortly."),
}
FAULT = _("Something went wrong. If you report it, give this reference: %(reference)s")


def told(error: DoorError) -> dict[str, Any]:
    """The error's body, its message in the active language where that has words for it."""
    body = error.body()
    if error.fields:
        body["fields"] = {name: [gettext(text) for text in texts] for name, texts in error.fields.items()}
    message = gettext(error.text)
    if message != error.text:
        return {**body, "message": message % error.values if error.values else message}
    by_code = gettext(WORDS[error.code])
    return body if by_code == WORDS[error.code] else {**body, "message": by_code}


def told_fault(reference: str) -> dict[str, Any]:
    """The body for what nobody foresaw: nothing but the id under which the log has it."""
    return {"code": "internal", "message": gettext(FAULT) % {"reference": reference}}


def language_of(scope: Mapping[str, Any]) -> str:
    """The language that who opened this connection reads, chosen as for a page."""
    request = HttpRequest()
    request.COOKIES = dict(scope.get("cookies") or {})
    headers = dict(scope.get("headers") or [])
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin-1")
    return get_language_from_request(request)
