"""Staff reading somebody's chat: the audit's view, hidden parts and errors' details included.

The only way to another's content. Each reading writes its AccessRecord first, and reads nothing if that fails.
Owns who may (staff with the permissions to view chats and messages) and what they get. Synchronous: call it from
a thread. How it looks is the admin's.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import TimeoutError as WaitTimeout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import DatabaseError

from chats.engine import get_engine
from chats.files import File
from chats.models import UNFINISHED, AccessRecord, Chat, Event, Message, Run
from chats.protocol import DoorError
from chats.reading import messages_of
from chats.transcript import Transcript
from handlers.encoding import clean_text

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["LogPage", "TranscriptPage", "Turn", "may_read_transcripts", "read_file", "read_log", "read_transcript"]

MESSAGES_A_PAGE = 100
EVENTS_A_PAGE = 500
LONGEST_REASON = 300
PATIENCE = 20.0  # seconds to wait for the writer

PERMISSIONS = ("chats.view_chat", "chats.view_message")


@dataclass(frozen=True, slots=True)
class Turn:
    """A message with all that is on record of it. `errors` have `details`; hidden ones are marked `hidden`."""

    message: Message
    parts: Sequence[Mapping[str, Any]]
    errors: Sequence[Mapping[str, Any]]
    metadata: Mapping[str, Any]
    run: Run | None


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """A stretch of a chat in the order of writing, all branches. `following` is the cursor of the next stretch."""

    chat: Chat
    turns: list[Turn]
    following: UUID | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """A stretch of a response's log. `following` is the sequence to read on after."""

    response: Message
    events: list[Event]
    following: int | None


def may_read_transcripts(user: User) -> bool:
    """Whether `user` may read others' chats at all."""
    return user.is_active and user.is_staff and user.has_perms(PERMISSIONS)


def read_transcript(user: User, chat: Chat, reason: str, after: UUID | None = None) -> TranscriptPage:
    """The chat's messages after the message `after`, on record with `reason`.

    Raises DoorError: forbidden, invalid (no reason, or a long one), unavailable (nothing can be recorded).
    """
    _record(user, chat, reason)
    messages = messages_of(chat)
    if after is not None:
        messages = messages.filter(pk__gt=after)
    found = list(messages.select_related("run", "run__worker", "run__user")[: MESSAGES_A_PAGE + 1])
    page = found[:MESSAGES_A_PAGE]
    return TranscriptPage(chat, _turns(page), page[-1].pk if len(found) > len(page) else None)


def read_log(user: User, response: Message, reason: str, after: int = -1) -> LogPage:
    """The response's events after the sequence `after`, hidden ones too, on record with `reason`. Raises DoorError."""
    _record(user, response.chat, reason)
    events = list(Event.objects.filter(response=response, sequence__gt=after).order_by("sequence")[: EVENTS_A_PAGE + 1])
    page = events[:EVENTS_A_PAGE]
    return LogPage(response, page, page[-1].sequence if len(events) > len(page) else None)


def read_file(user: User, chat: Chat, file_id: UUID, reason: str) -> File | None:
    """A file of the chat, on record with `reason`; None where there is none or its bytes are gone. Raises DoorError."""
    _record(user, chat, reason)
    return File.objects.readable().filter(pk=file_id, messages__chat=chat).first()


def _record(user: User, chat: Chat, reason: str) -> None:
    if not may_read_transcripts(user):
        raise DoorError("forbidden", "Reading chats takes a staff account that may view chats and messages.")
    reason = clean_text(reason).strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        words = f"Say why you read this chat, in at most {LONGEST_REASON} characters."
        raise DoorError("invalid", words, fields={"reason": [words]})
    try:
        get_engine().write(_write_record, user.pk, chat.pk, reason).result(PATIENCE)
    except (DatabaseError, WaitTimeout) as error:
        words = "The reading can't be recorded now, so the chat can't be read. Try again."
        raise DoorError("unavailable", words, retry_after=2) from error


def _write_record(user_id: UUID, chat_id: UUID, reason: str) -> None:
    AccessRecord.objects.create(user_id=user_id, chat_id=chat_id, reason=reason)


def _turns(messages: Sequence[Message]) -> list[Turn]:
    folds = _folds_so_far([message.pk for message in messages if message.status in UNFINISHED])
    contents = {message.pk: _whole_content(message, folds.get(message.pk)) for message in messages}
    details = _details_of([pk for pk, content in contents.items() if content["errors"]])
    return [_turn(message, contents[message.pk], details.get(message.pk, {})) for message in messages]


def _turn(message: Message, content: Mapping[str, Any], details: Mapping[int, str]) -> Turn:
    errors = [{**error, "details": details.get(error["sequence"])} for error in content["errors"]]
    return Turn(message, content["parts"], errors, content["metadata"], getattr(message, "run", None))


def _whole_content(message: Message, fold: Transcript | None) -> Mapping[str, Any]:
    """parts, errors and metadata with the hidden ones marked: as stored, or of the log so far."""
    unredacted = fold.unredacted if fold else message.unredacted
    visible = fold.visible if fold else message
    return unredacted or {"parts": visible.parts, "errors": visible.errors, "metadata": visible.metadata}


def _folds_so_far(response_ids: Sequence[UUID]) -> dict[UUID, Transcript]:
    """The fold of what is stored of unfinished responses."""
    folds: defaultdict[UUID, Transcript] = defaultdict(Transcript)
    if response_ids:
        events = Event.objects.filter(response__in=response_ids).order_by("response_id", "sequence")
        for event in events.iterator():
            folds[event.response_id].feed(event.type, json.loads(event.payload), event.sequence, event.emit)
    return folds


def _details_of(response_ids: Iterable[UUID]) -> dict[UUID, dict[int, str]]:
    """response id → sequence of an error → what the audit knows of it."""
    details: defaultdict[UUID, dict[int, str]] = defaultdict(dict)
    errors = Event.objects.filter(response__in=list(response_ids), type="error")
    for response_id, sequence, text in errors.values_list("response_id", "sequence", "details"):
        details[response_id][sequence] = text or ""
    return details
