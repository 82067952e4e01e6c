"""The attachments of a message that is being started: that they are its owner's, and what is stored of them.

Within the transaction of a start, so that no file goes while a message that uses it is on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_noop as _

from chats.files import File, part_of
from chats.protocol import DoorError, StartBody, is_uuid7

if TYPE_CHECKING:
    from chats.models import Message
    from workbench.models import User

__all__ = ["attach", "require_few_files", "stored_parts"]

Fields = Mapping[str, Any]

NOT_FOUND = _("An attachment isn't there any more, or isn't yours. Attach the file again.")


def require_few_files(body: StartBody) -> None:
    """Raises DoorError invalid for more attachments than a message may have."""
    most = settings.WORKBENCH_MAX_FILES_PER_MESSAGE
    if sum(part.is_attachment for part in body.parts or ()) > most:
        refusal = DoorError("invalid", _("A message may have %(count)s attachments."), values={"count": most})
        refusal.fields["parts"] = [refusal.message]
        raise refusal


def stored_parts(user: User, parts: Sequence[Fields]) -> tuple[list[dict[str, Any]], list[File]]:
    """The parts as they are stored, and the files that they name, locked. A file's facts are its row's, whatever the
    client says of it. Raises DoorError not_found with the parts named."""
    files = _locked(user, parts)
    return [_stored(part, files) for part in parts], list(files.values())


def attach(files: Iterable[File], message: Message) -> None:
    """Notes that the message uses the files."""
    uses, ids = File.messages.through, [file.pk for file in files]
    if ids:
        uses.objects.bulk_create([uses(file_id=file_id, message_id=message.pk) for file_id in ids])
        File.objects.filter(pk__in=ids).update(state=File.State.USED)


def _locked(user: User, parts: Sequence[Fields]) -> dict[str, File]:
    wanted = {number: str(part["file_id"]).lower() for number, part in enumerate(parts) if part["kind"] != "text"}
    if not wanted:
        return {}
    ids = {UUID(file_id) for file_id in wanted.values() if is_uuid7(file_id)}
    locked = File.objects.visible_to(user).filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    files = {str(file.pk): file for file in locked}
    missing = [number for number, file_id in wanted.items() if file_id not in files]
    if missing:
        fields = {f"parts.{number}.file_id": ["Not found."] for number in missing}
        raise DoorError("not_found", NOT_FOUND, fields=fields)
    return files


def _stored(part: Fields, files: Mapping[str, File]) -> dict[str, Any]:
    if part["kind"] == "text":
        return {"kind": "text", "content": part["content"]}
    stored = part_of(files[part["file_id"].lower()])
    return stored | {"alt": part["alt"]} if stored["kind"] == "image" else stored
