"""What is stored, as its owner may see it: the queries and the objects of the wire (docs/api.md).

Owns who may read what (each `get_` asks for the user and raises `not_found` for what isn't theirs)
and the shapes of chats and messages. Synchronous: call it from a thread. Changes nothing; writing is
runs.py's and editing.py's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_noop as _

from chats.models import UNFINISHED, Chat, ChatQuerySet, Event, Feedback, Message, MessageQuerySet, Run
from chats.protocol import DoorError, is_uuid7
from chats.transcript import Fold
from handlers.encoding import clean_text

if TYPE_CHECKING:
    from workbench.models import User

__all__ = [
    "branch",
    "branch_ids",
    "chats_for",
    "cursor_before",
    "events_of",
    "get_chat",
    "get_message",
    "get_response",
    "iso_time",
    "messages_of",
    "pick",
    "represent_chat",
    "represent_chats",
    "represent_feedback",
    "represent_message",
    "represent_messages",
]

Row = TypeVar("Row", bound=Model)

# Who may read what


def chats_for(user: User) -> ChatQuerySet:
    """The chats that `user` may read; deleted ones are gone."""
    return Chat.objects.visible_to(user)


def get_chat(user: User, id_or_name: str) -> Chat:
    """The user's chat of that id, or of that own name. Raises DoorError not_found."""
    if is_uuid7(id_or_name):
        found = chats_for(user).filter(pk=UUID(id_or_name)).first()
    else:
        found = chats_for(user).filter(name=clean_text(id_or_name)).first()
    if found is None:
        raise DoorError("not_found", _("There is no such chat, or it isn't yours."))
    return found


def get_message(user: User, message_id: str) -> Message:
    """A message in one of the user's chats. Raises DoorError not_found."""
    return pick(Message.objects.visible_to(user), message_id, _("There is no such message, or it isn't yours."))


def get_response(user: User, response_id: str) -> Message:
    """A response in one of the user's chats. Raises DoorError not_found, also for a request's id."""
    responses = Message.objects.visible_to(user).filter(kind=Message.Kind.RESPONSE)
    return pick(responses, response_id, _("There is no such response, or it isn't yours."))


def pick(visible: QuerySet[Row], key: str, words: str) -> Row:
    """The one of that id. Raises DoorError not_found in these words."""
    found = visible.filter(pk=UUID(key)).first() if is_uuid7(key) else None
    if found is None:
        raise DoorError("not_found", words)
    return found


# Messages and events of what was got above


def messages_of(chat: Chat) -> MessageQuerySet:
    """The whole tree, chronological: ids are UUIDv7."""
    return Message.objects.filter(chat=chat).order_by("id")


# Parents are looked up by key from the leaf: as many steps as the branch is long, however large the tree.
_BRANCH = """
WITH RECURSIVE branch (id, parent_id, depth) AS (
    SELECT id, parent_id, 0 FROM {messages} WHERE id = %s
    UNION ALL
    SELECT parent.id, parent.parent_id, branch.depth + 1
    FROM branch JOIN {messages} parent ON parent.id = branch.parent_id
)
SELECT {columns} FROM branch JOIN {messages} message ON message.id = branch.id ORDER BY branch.depth DESC
"""


def branch(leaf: Message) -> list[Message]:
    """The messages from the root to `leaf`."""
    if leaf.parent_id is None:
        return [leaf]
    return list(Message.objects.raw(_branch_statement("message.*"), [_key(leaf)]))


def branch_ids(leaf: Message) -> list[UUID]:
    """The ids of `branch`, without reading what the messages say."""
    with connection.cursor() as cursor:
        cursor.execute(_branch_statement("message.id"), [_key(leaf)])
        return [UUID(str(row[0])) for row in cursor.fetchall()]


def _branch_statement(columns: str) -> str:
    return _BRANCH.format(messages=connection.ops.quote_name(Message._meta.db_table), columns=columns)


def _key(message: Message) -> Any:
    return Message._meta.pk.get_db_prep_value(message.pk, connection)


def events_of(response: Message, after: int = -1, types: Sequence[str] | None = None) -> QuerySet[Event]:
    """The log's events that the owner may see, with a sequence above `after`, in order; `types` only, if given."""
    return _visible_events(response, types).filter(sequence__gt=after).order_by("sequence")


def cursor_before(response: Message, after: int, limit: int, types: Sequence[str] | None = None) -> int:
    """The `after` of the page of `limit` events that ends at `after`; -1 for the first page."""
    earlier = _visible_events(response, types).filter(sequence__lte=after).order_by("-sequence")
    found = list(earlier.values_list("sequence", flat=True)[limit : limit + 1])
    return found[0] if found else -1


def _visible_events(response: Message, types: Sequence[str] | None) -> QuerySet[Event]:
    events = Event.objects.filter(response=response, emit=True)
    return events if types is None else events.filter(type__in=types)


# The objects of the wire


def iso_time(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds: `2026-01-31T12:00:00.000000Z`."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def represent_chat(chat: Chat, running: Sequence[str]) -> dict[str, Any]:
    """The chat object; `running` are the ids of its unfinished responses."""
    return {
        "id": str(chat.pk),
        "name": chat.name,
        "title": chat.title,
        "title_source": chat.title_source,
        "status": chat.status,
        "pinned": chat.pinned,
        "task": chat.task,
        "model_id": chat.model_id,
        "active_leaf": _text_or_none(chat.active_leaf_id),
        "metadata": chat.metadata,
        "running": list(running),
        "created_at": iso_time(chat.created_at),
        "updated_at": iso_time(chat.updated_at),
        "last_message_at": iso_time(chat.last_message_at),
    }


def represent_chats(chats: Sequence[Chat]) -> list[dict[str, Any]]:
    """The chat objects, with one query for all that runs in them."""
    running: dict[UUID, list[str]] = {}
    runs = Run.objects.unfinished().filter(chat__in=chats).order_by("response_id") if chats else Run.objects.none()
    for chat_id, response_id in runs.values_list("chat_id", "response_id"):
        running.setdefault(chat_id, []).append(str(response_id))
    return [represent_chat(chat, running.get(chat.pk, [])) for chat in chats]


def represent_message(message: Message) -> dict[str, Any]:
    """The message object; an unfinished response's is folded from the log so far."""
    return represent_messages([message])[0]


def represent_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The message objects, with one query for the logs of all that are unfinished and one for all feedback."""
    feedback = _feedback_on([message.pk for message in messages if message.kind == Message.Kind.RESPONSE])
    logs = _logs_so_far([message.pk for message in messages if message.status in UNFINISHED])
    # A response that ended since its row was read: the row and its last events were written together.
    ended = [response_id for response_id, (fold, _) in logs.items() if fold.status is not None]
    renewed = Message.objects.in_bulk(ended) if ended else {}
    return [
        _represent(
            renewed.get(message.pk, message),
            None if message.pk in renewed else logs.get(message.pk),
            feedback.get(message.pk),
        )
        for message in messages
    ]


def _feedback_on(response_ids: Sequence[UUID]) -> dict[UUID, Feedback]:
    return Feedback.objects.in_bulk(response_ids) if response_ids else {}


def represent_feedback(feedback: Feedback | None) -> dict[str, Any] | None:
    """What a message object has as `feedback`."""
    if feedback is None:
        return None
    return {"rating": feedback.rating, "comment": feedback.comment, "updated_at": iso_time(feedback.updated_at)}


def _logs_so_far(response_ids: Iterable[UUID]) -> dict[UUID, tuple[Fold, int]]:
    """response id → (the fold of what its owner may see, the last sequence that it covers)."""
    response_ids = list(response_ids)
    if not response_ids:
        return {}
    logs: dict[UUID, tuple[Fold, int]] = {}
    events = Event.objects.filter(response__in=response_ids).order_by("response_id", "sequence")
    columns = events.values_list("response_id", "sequence", "type", "emit", "payload")
    for response_id, sequence, kind, emit, payload in columns.iterator():
        fold, _ = logs.get(response_id) or (Fold(), -1)
        if emit:
            fold.feed(kind, json.loads(payload), sequence)
        logs[response_id] = (fold, sequence)
    return logs


def _represent(message: Message, log: tuple[Fold, int] | None, feedback: Feedback | None) -> dict[str, Any]:
    fold, sequence = log or (message, message.sequence)
    return {
        "id": str(message.pk),
        "chat_id": str(message.chat_id),
        "parent_id": _text_or_none(message.parent_id),
        "kind": message.kind,
        "status": message.status,
        "sequence": sequence,
        "parts": fold.parts,
        "errors": fold.errors,
        "metadata": fold.metadata,
        "task": message.task,
        "model_id": message.model_id,
        "usage": fold.usage,
        "feedback": represent_feedback(feedback),
        "created_at": iso_time(message.created_at),
        "finished_at": iso_time(message.finished_at),
    }


def _text_or_none(key: UUID | None) -> str | None:
    return None if key is None else str(key)
