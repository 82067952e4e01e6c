"""Files that nobody may have any more lose their bytes, beside everything else the process does.

Owns when, and that no crash keeps bytes for ever: what is to go stands in the database (files.py), is deleted from the
storage after that has committed, and only then struck off; deleting twice does no harm, so every process may.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef

from chats.files import File
from chats.models import Chat
from chats.pools import GrowingPool
from chats.protocol import DoorError

__all__ = ["Tidying", "release_files"]

logger = logging.getLogger(__name__)

EVERY = 60.0  # seconds
AT_ONCE = 100  # files

Write = Callable[..., Future[Any]]


class Tidying:
    """Tidies whenever it's told to look and it's time. From any thread."""

    def __init__(self, files: GrowingPool, write: Write) -> None:
        self._files = files
        self._write = write
        self._lock = threading.Lock()
        self._busy = self._again = False
        self._looked_at = float("-inf")

    def look(self, *, now: bool = False) -> None:
        with self._lock:
            if self._busy:
                self._again = self._again or now
                return
            if not now and time.monotonic() - self._looked_at < EVERY:
                return
            self._busy, self._again, self._looked_at = True, False, time.monotonic()
        try:
            self._files.submit(self._tidy).add_done_callback(self._done)
        except RuntimeError:  # the server stops: what is to go is in the database
            self._busy = False

    def _tidy(self) -> None:
        while len(self._round()) == AT_ONCE:
            pass

    def _round(self) -> Sequence[UUID]:
        """One stretch of what is to go."""
        expired = list(File.objects.expired().order_by("created_at").values_list("pk", flat=True)[:AT_ONCE])
        if expired:
            self._write(_give_up, expired).result()
        leaving = File.objects.filter(state=File.State.LEAVING).order_by("created_at")
        found = dict(leaving.values_list("pk", "stored_as")[:AT_ONCE])
        deleted = [pk for pk, stored_as in found.items() if _delete_bytes(pk, stored_as)]
        if deleted:
            self._write(_strike_off, deleted).result()
        return deleted

    def _done(self, tidying: Future[None]) -> None:
        error = tidying.exception() if not tidying.cancelled() else None
        if isinstance(error, DoorError):
            logger.info("Files are tidied up later (%s).", error)
        elif error is not None:
            logger.warning("Files couldn't be tidied up; trying again.", exc_info=error)
        with self._lock:
            self._busy = False
            again = self._again
        if again:
            self.look(now=True)


def _delete_bytes(file_id: UUID, stored_as: str) -> bool:
    try:
        default_storage.delete(stored_as)
    except Exception as error:
        logger.warning("The bytes of file %s couldn't be deleted; trying again.", file_id, exc_info=error)
        return False
    return True


# Jobs of the journal's thread


def _give_up(file_ids: Sequence[UUID]) -> None:
    """Looked at once more: a start may have used one meanwhile."""
    File.objects.expired().filter(pk__in=file_ids).update(state=File.State.LEAVING)


def _strike_off(file_ids: Sequence[UUID]) -> None:
    """What a message names stays on record."""
    gone = File.objects.filter(pk__in=file_ids, state=File.State.LEAVING)
    used = set(gone.filter(messages__isnull=False).values_list("pk", flat=True))
    gone.filter(pk__in=used).update(state=File.State.GONE)
    gone.exclude(pk__in=used).delete()


def release_files(chat: Chat) -> None:
    """In the transaction that deletes the chat: what no other chat uses is to go."""
    # Locked before it's asked who else uses them, or a start that is being stored would not be seen.
    files = File.objects.filter(messages__chat=chat, state=File.State.USED).order_by("pk")
    locked = list(files.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    if locked:
        kept = File.messages.through.objects.filter(file=OuterRef("pk")).exclude(
            message__chat__status=Chat.State.DELETED
        )
        File.objects.filter(~Exists(kept), pk__in=set(locked)).update(state=File.State.LEAVING)
