"""Every refusal and fault of the API in one shape: {"code", "message", "fields"?, …}.

Anticipated refusals are DoorErrors, or Django REST framework's own exceptions, and say what to do.
Anything else is a fault: logged once with its trace, told to the client by a correlation id alone.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as _
from rest_framework import exceptions

from chats import logcontext, refusals
from chats.fields import new_id
from chats.protocol import DoorError
from handlers.encoding import canonical_json, clean_text

__all__ = ["answer_refusal", "exception_handler", "json_response", "quietly"]

logger = logging.getLogger(__name__)

DATABASE_PAUSE = 5  # seconds after which a client may try again when the database is away


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """`body` as UTF-8 JSON, not to be kept by caches."""
    response = HttpResponse(
        clean_text(canonical_json(body)), content_type="application/json", status=status, headers=dict(headers or {})
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Django REST framework's EXCEPTION_HANDLER."""
    request = context["request"]
    return answer_refusal(error, getattr(request, "_request", request))


def answer_refusal(error: Exception, request: HttpRequest) -> HttpResponse:
    """The response for whatever was raised while `request` was answered."""
    match error:
        case DoorError():
            return _refuse(error)
        case exceptions.APIException():
            return _refuse_as_framework(error)
        case Http404():
            return _refuse(DoorError("not_found", _("There is nothing here.")))
        case PermissionDenied():
            return _refuse(DoorError("forbidden", _("You may not do this.")))
        case RequestDataTooBig():
            return _refuse(DoorError("too_large", _("The body is too large.")))
        case SuspiciousOperation():
            return _refuse(DoorError("invalid", "The request isn't well formed."))
        case OperationalError() | InterfaceError():
            logger.error("The database failed while %s was answered.", request.path, exc_info=error)
            return quietly(_refuse(_away()))
        case _:
            return _own_up(error, request)


def _refuse(error: DoorError) -> HttpResponse:
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if error.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return json_response(refusals.told(error), error.http_status, headers)


def _refuse_as_framework(error: exceptions.APIException) -> HttpResponse:
    match error:
        case exceptions.NotAuthenticated():
            return _refuse(DoorError("unauthorized", "Log in, or send “Authorization: Bearer <token>”."))
        case exceptions.AuthenticationFailed():
            return _refuse(DoorError("unauthorized", str(error.detail)))
        case exceptions.PermissionDenied():
            return _refuse(DoorError("forbidden", str(error.detail)))
        case exceptions.MethodNotAllowed():
            # `Allow` is set with the door's other headers.
            return json_response({"code": "method_not_allowed", "message": str(error.detail)}, 405)
        case exceptions.NotFound():
            return _refuse(DoorError("not_found", str(error.detail)))
        case _:
            return json_response({"code": "invalid", "message": str(error.detail)}, error.status_code)


def _away() -> DoorError:
    return DoorError("unavailable", _("The database can't be reached. Try again shortly."), retry_after=DATABASE_PAUSE)


def _own_up(error: Exception, request: HttpRequest) -> HttpResponse:
    correlation_id = logcontext.correlation_id() or str(new_id())
    logger.error("The API failed at %s.", request.path, exc_info=error, extra={"correlation_id": correlation_id})
    got_request_exception.send(sender=None, request=request)
    return quietly(json_response(refusals.told_fault(correlation_id), 500))


def quietly(response: HttpResponse) -> HttpResponse:
    """Keeps Django from logging a fault that is in the log already (django.utils.log.log_response)."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
