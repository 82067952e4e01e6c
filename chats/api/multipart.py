"""One file out of a multipart body, read in bounded memory and refused as soon as it is too long.

Owns how the body is read; what is made of the file is uploads.py's. Django parses a body when somebody first asks for a
form field, and the CSRF check does: so whoever reads it comes before the check of who is asking.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from chats.api.formsize import longest_form
from chats.protocol import DoorError
from chats.uploads import too_large

__all__ = ["FIELD", "ReceivedFile", "read_file", "receive_file"]

FIELD = "file"


class ReceivedFile(TemporaryUploadedFile):
    """A file in a temporary one. `sha256` is of its bytes."""

    sha256 = ""


class _OneFile(FileUploadHandler):
    """Takes the one file of the field FIELD."""

    def __init__(self, request: HttpRequest, most: int) -> None:
        super().__init__(request)
        self._most = most
        self._taken = 0
        self._hash = hashlib.sha256()
        self._received: ReceivedFile | None = None

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        if field_name != FIELD or self._received is not None:
            self._drop()
            raise _missing(f"Send one file, in the field “{FIELD}”.")
        self._received = ReceivedFile(self.file_name or "", self.content_type, 0, self.charset)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._taken += len(raw_data)
        if self._taken > self._most:
            self._drop()
            raise too_large()
        self._hash.update(raw_data)
        if self._received is not None:
            self._received.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        received = self._received
        if received is not None:
            received.seek(0)
            received.size, received.sha256 = file_size, self._hash.hexdigest()
        return received

    def upload_interrupted(self) -> None:
        self._drop()

    def _drop(self) -> None:
        if self._received is not None:
            self._received.close()


def receive_file(request: HttpRequest) -> None:
    """Has the request's body read so, when somebody asks for it. Raises DoorError where too much is announced."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isdecimal() and int(announced) > longest_form():
        raise too_large()
    request.upload_handlers = [_OneFile(request, settings.WORKBENCH_MAX_FILE_BYTES)]


def read_file(request: HttpRequest) -> ReceivedFile:
    """The file. Raises DoorError: invalid, or too_large."""
    if (request.content_type or "").lower() != "multipart/form-data":
        raise DoorError("invalid", f"Send the file as “multipart/form-data”, in the field “{FIELD}”.")
    if not (request.META.get("CONTENT_LENGTH") or "").isdecimal():
        raise DoorError("invalid", "Say how long the body is, with “Content-Length”.")
    try:
        received = request.FILES.get(FIELD)
    except MultiPartParserError as error:
        raise _missing(f"The body can't be read: {error}") from error
    if not isinstance(received, ReceivedFile):
        raise _missing("There is none.")
    return received


def _missing(message: str) -> DoorError:
    return DoorError("invalid", f"“{FIELD}” isn't right: {message}", fields={FIELD: [message]})
