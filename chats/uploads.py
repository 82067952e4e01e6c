"""Use cases of files: keep one, have one, give one up. Every door and every handler's file comes through here.

Owns the order of things: first the row, counted against its owner's room, then the bytes, then the row says that they
are there. Each asks whose it is and raises DoorError. Synchronous: call them from a thread that may wait for a disk.
"""

from __future__ import annotations

import hashlib
import logging
from typing import IO, TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files import File as Content
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Sum
from django.utils.translation import gettext_noop as _

from chats import limits, reading
from chats.commits import commit
from chats.engine import get_engine
from chats.files import READABLE, File
from chats.filetypes import clean_name, type_of
from chats.models import Chat, Message
from chats.protocol import DoorError, is_uuid7

if TYPE_CHECKING:
    from workbench.models import User

__all__ = [
    "Refused",
    "discard_file",
    "get_file",
    "keep_bytes",
    "keep_file",
    "open_bytes",
    "read_bytes",
    "too_large",
    "upload_file",
]

logger = logging.getLogger(__name__)

FULL_PAUSE = 3600.0  # seconds: room comes with deleted chats, or tomorrow with what was never used


class Refused(DoorError):
    """The file can't be kept; `message` says why, in words for its owner."""


def too_large() -> Refused:
    """More bytes than a file may have."""
    most = in_words(settings.WORKBENCH_MAX_FILE_BYTES)
    return Refused("too_large", _("The file is too large: at most %(size)s."), values={"size": most})


def in_words(size: int) -> str:
    """Bytes in the unit that people read: `20 MB`."""
    for unit, one in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if size >= one:
            return f"{size / one:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"


def upload_file(user: User, content: Content[bytes], size: int, sha256: str) -> File:
    """Keeps what a client has sent. Raises Refused: `invalid` (empty), `unsupported_type`, `rate_limited`."""
    limits.take_upload(user.pk)
    return keep_file(user.pk, content.name or "", content, size=size, sha256=sha256)


def keep_file(
    owner_id: UUID, name: str, content: Content[bytes], *, size: int, sha256: str, used_by: UUID | None = None
) -> File:
    """The file, stored. `used_by`: the response that it is made for; else it waits for a message to use it."""
    if not size:
        raise Refused("invalid", _("The file is empty."), fields={"file": ["It is empty."]})
    if size > settings.WORKBENCH_MAX_FILE_BYTES:
        raise too_large()
    opened: IO[bytes] = content.file  # type: ignore[assignment]
    mime_type = type_of(name, opened)
    if mime_type is None:
        message = _("Files of this type can't be attached. Images, PDF, Word and Excel files and texts in UTF-8 can.")
        raise Refused("unsupported_type", message)
    file = File(owner_id=owner_id, name=clean_name(name, mime_type), mime_type=mime_type, size=size, sha256=sha256)
    commit(_reserve, file)
    try:
        stored_as = default_storage.save(file.stored_as, content)
    except Exception as error:
        logger.error("File %s couldn't be stored.", file.pk, exc_info=error)
        commit(_leave, file.pk)
        raise Refused("unavailable", _("The file couldn't be stored. Try again shortly."), retry_after=5) from error
    commit(_arrive, file, stored_as, used_by)
    return file


def keep_bytes(owner_id: UUID, name: str, content: bytes, used_by: UUID) -> UUID:
    """The id of a file that the response `used_by` has made. Raises Refused."""
    digest = hashlib.sha256(content).hexdigest()
    return keep_file(owner_id, name, ContentFile(content), size=len(content), sha256=digest, used_by=used_by).pk


def get_file(user: User, file_id: str) -> File:
    """The user's file. Raises DoorError not_found."""
    return reading.pick(File.objects.visible_to(user), file_id, _("There is no such file, or it isn't yours."))


def discard_file(user: User, file_id: str) -> None:
    """Gives up a file that no message uses. Raises DoorError: not_found, or conflict for one that is used."""
    commit(_discard, get_file(user, file_id).pk)
    get_engine().tidying.look(now=True)


def open_bytes(file: File) -> Content[bytes]:
    """The file's bytes, to be read and closed. Raises DoorError: not_found where the storage has lost them."""
    try:
        return default_storage.open(file.stored_as)
    except FileNotFoundError as error:
        logger.error("The bytes of file %s aren't in the storage.", file.pk)
        raise DoorError("not_found", _("This file is lost.")) from error


def read_bytes(owner_id: UUID, file_id: str) -> bytes:
    """All of a file of this owner. Raises DoorError not_found, or what the storage raises."""
    file = File.objects.readable().filter(owner=owner_id, pk=UUID(file_id)).first() if is_uuid7(file_id) else None
    if file is None:
        raise DoorError("not_found", "There is no such file any more.")
    with open_bytes(file) as opened:
        return opened.read()


# Jobs of the journal's thread


def _reserve(file: File) -> None:
    """The row, if there is room. Its owner's row is locked: files that come at the same time are counted in turn."""
    most = settings.WORKBENCH_MAX_STORAGE_PER_USER
    if most:
        get_user_model().objects.select_for_update(no_key=True).filter(pk=file.owner_id).first()
        held = File.objects.filter(owner=file.owner_id, state__in=(*READABLE, File.State.ARRIVING))
        taken = held.aggregate(taken=Sum("size"))["taken"] or 0
        if taken + file.size > most:
            message = _("Your files take up %(taken)s of %(most)s. Deleting chats makes room.")
            values = {"taken": in_words(taken), "most": in_words(most)}
            raise Refused("rate_limited", message, retry_after=FULL_PAUSE, values=values)
    file.save(force_insert=True)


def _arrive(file: File, stored_as: str, used_by: UUID | None) -> None:
    file.stored_as, file.state = stored_as, File.State.UNUSED
    if used_by is not None:
        message = Message.objects.filter(pk=used_by).exclude(chat__status=Chat.State.DELETED).first()
        file.state = File.State.LEAVING if message is None else File.State.USED
        if message is not None:
            file.messages.add(message)
    file.save(update_fields=["stored_as", "state"])


def _leave(file_id: UUID) -> None:
    File.objects.filter(pk=file_id).update(state=File.State.LEAVING)


def _discard(file_id: UUID) -> None:
    if not File.objects.filter(pk=file_id, state=File.State.UNUSED).update(state=File.State.LEAVING):
        raise DoorError("conflict", _("A message uses this file. It goes with its chat."))
