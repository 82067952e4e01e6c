"""What people attach and handlers make: a row for each file, whose bytes are in the storage.

Owns the table and the states of a file. A row is there before its bytes and stays until they are gone, so that a crash
at any point leaves a row that says what is still to be done, and nothing has to be looked for in the storage.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from chats.fields import new_id
from chats.filetypes import kind_of

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["READABLE", "UNUSED_FOR", "File", "part_of"]

UNUSED_FOR = timedelta(days=1)  # then what no message uses is given up


class FileQuerySet(models.QuerySet["File"]):
    def visible_to(self, user: User) -> FileQuerySet:
        """The files that `user` may have. Staff read others' by transcripts.read_file only."""
        return self.readable().filter(owner=user)

    def readable(self) -> FileQuerySet:
        """Whose bytes are there, and meant to stay."""
        return self.filter(state__in=READABLE)

    def expired(self) -> FileQuerySet:
        """What nobody has used in time, or never arrived in whole."""
        return self.filter(
            state__in=(File.State.ARRIVING, File.State.UNUSED), created_at__lt=timezone.now() - UNUSED_FOR
        )


class File(models.Model):
    """One file of one owner. The same one may be used by several of his messages; it is never changed.

    A file whose chats are all deleted loses its bytes; the row stays for the audit, as the messages do.
    """

    class State(models.TextChoices):
        ARRIVING = "arriving"  # its bytes are being stored
        UNUSED = "unused"  # by no message yet
        USED = "used"
        LEAVING = "leaving"  # nobody may have it any more; its bytes are still to be deleted
        GONE = "gone"  # a record without bytes

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="files", db_index=False)
    name = models.CharField(max_length=200, help_text="As its owner calls it; in the storage it has another name.")
    mime_type = models.CharField(max_length=100, help_text="By its content, not by what was said of it.")
    size = models.BigIntegerField(help_text="In bytes.")
    sha256 = models.CharField(max_length=64)
    stored_as = models.CharField(max_length=200, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.ARRIVING)
    messages = models.ManyToManyField("chats.Message", related_name="files", blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = FileQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner"], name="file_by_owner"),
            models.Index(fields=["state", "created_at"], name="file_by_state"),
        ]

    def __str__(self) -> str:
        return str(self.id)  # not the name: that is its owner's words

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.stored_as = self.stored_as or _place_of(self.id)
        super().save(*args, **kwargs)


READABLE = (File.State.UNUSED, File.State.USED)


def _place_of(file_id: UUID) -> str:
    """In folders by the id's random end: its beginning is the time, and would fill one folder after another."""
    return f"files/{file_id.hex[-2:]}/{file_id}"


def part_of(file: File) -> dict[str, Any]:
    """The message part that stands for the file (docs/api.md)."""
    kind = kind_of(file.mime_type)
    part = {
        "kind": kind,
        "file_id": str(file.pk),
        "name": file.name,
        "mime_type": file.mime_type,
        "size": file.size,
        "content": "",
    }
    return part | {"alt": ""} if kind == "image" else part
