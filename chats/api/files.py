"""Files: sent, had again by their owner, and given up while no message uses them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial
from typing import Any

from django.core.files import File as Content
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from chats import uploads
from chats.api.door import Continued, Door, LoopDoor, flow_of, user_of
from chats.api.errors import json_response
from chats.api.multipart import read_file, receive_file
from chats.engine import get_engine
from chats.files import File, part_of
from chats.filetypes import IMAGES
from chats.flow import Flow, paced
from chats.models import AccessToken

__all__ = ["FileDoor", "FilesDoor", "headers_of"]

CHUNK = 256 * 1024


class FilesDoor(Door):
    """POST files/: a file to be attached; the part that stands for it comes back."""

    scopes = {"POST": AccessToken.Scope.GENERATE}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        receive_file(request._request)
        super().initial(request, *args, **kwargs)

    def post(self, request: Request) -> HttpResponse:
        received = read_file(request._request)
        with received:
            file = uploads.upload_file(user_of(request), received, received.size or 0, received.sha256)
        location = request.build_absolute_uri(reverse("api:file", args=[file.pk]))
        return json_response(part_of(file), 201, {"Location": location})


class FileDoor(LoopDoor):
    """GET, DELETE files/{id}/"""

    scopes = {"DELETE": AccessToken.Scope.GENERATE}

    def get(self, request: Request, file_id: str) -> HttpResponseBase:
        file = uploads.get_file(user_of(request), file_id)
        headers = headers_of(file)
        known = get_conditional_response(request._request, etag=headers["ETag"])
        if known is not None and known.status_code == 304:
            return HttpResponse(status=304, headers={name: headers[name] for name in ("Cache-Control", "ETag")})
        if request.method == "HEAD":
            return HttpResponse(headers=headers)
        opened = uploads.open_bytes(file)
        return Continued(partial(_handed_out, opened, headers, flow_of(request)))

    def delete(self, request: Request, file_id: str) -> HttpResponse:
        uploads.discard_file(user_of(request), file_id)
        return HttpResponse(status=204)


def headers_of(file: File) -> dict[str, str]:
    """How a file is handed out: nothing in it is run, and only what browsers draw safely is shown in place."""
    shown = file.mime_type in IMAGES
    # What was sent as text is UTF-8, or it wouldn't have been taken.
    is_text = file.mime_type.startswith("text/")
    return {
        "Content-Type": file.mime_type + ("; charset=utf-8" if is_text else ""),
        "Content-Length": str(file.size),
        "Content-Disposition": content_disposition_header(not shown, file.name) or "inline",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",  # kept, and asked for each time: a logout or a deletion holds at once
        "ETag": f'"{file.sha256}"',
    }


async def _handed_out(opened: Content[bytes], headers: dict[str, str], flow: Flow | None) -> HttpResponseBase:
    return StreamingHttpResponse(_Bytes(opened, flow), headers=headers)


class _Bytes:
    """What Django iterates; it calls `close` when the request is over, also where nothing was ever sent."""

    def __init__(self, opened: Content[bytes], flow: Flow | None) -> None:
        self._opened = opened
        self._flow = flow

    def close(self) -> None:
        self._opened.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return paced(self._read(), self._flow)

    async def _read(self) -> AsyncGenerator[bytes, None]:
        """In a thread: a storage may hang."""
        files = get_engine().files
        while chunk := await files.run(self._opened.read, CHUNK):
            yield chunk
