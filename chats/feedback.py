"""What the owner of a chat thinks of a response: given, changed, taken back.

Owns who may say it (the owner, of responses only). Synchronous: call it from a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from chats import reading
from chats.commits import commit
from chats.models import Feedback, Message
from chats.protocol import DoorError

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["MAX_COMMENT", "set_feedback"]

MAX_COMMENT = 4000  # characters


def set_feedback(user: User, message_id: str, rating: str | None, comment: str) -> Feedback | None:
    """The user's feedback on the response, now this; without a rating there is none any more.

    Raises DoorError: not_found, or invalid for a request.
    """
    message = reading.get_message(user, message_id)
    if message.kind != Message.Kind.RESPONSE:
        raise DoorError("invalid", "That is your own message. Feedback is given on an answer.")
    return commit(_store, user, message.pk, rating, comment)


# A job of the journal's thread


def _store(user: User, message_id: UUID, rating: str | None, comment: str) -> Feedback | None:
    if not Message.objects.visible_to(user).filter(pk=message_id).exists():  # the chat was deleted meanwhile
        raise DoorError("not_found", _("There is no such message, or it isn't yours."))
    if rating is None:
        Feedback.objects.filter(message=message_id).delete()
        return None
    fields = {"rating": rating, "comment": comment, "updated_at": timezone.now()}
    return Feedback.objects.update_or_create(message_id=message_id, defaults=fields)[0]
