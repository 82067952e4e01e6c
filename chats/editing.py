"""Use cases that change a chat: create, change, delete. Runs are started and ended by runs.py.

Each asks whether the chat is the user's, writes as a job of the journal's thread, and tells the
owner's other connections. Synchronous: call it from a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from chats import reading, runs
from chats.commits import commit
from chats.engine import get_engine
from chats.models import Chat, Message
from chats.protocol import DoorError, encode_frame, is_uuid7
from chats.search import queue_title
from chats.tidying import release_files
from handlers.encoding import canonical_json

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["MAX_METADATA", "change_chat", "create_chat", "delete_chat"]

Fields = Mapping[str, Any]

MAX_METADATA = 64 * 1024  # characters of a chat's metadata as JSON


def create_chat(user: User, fields: Fields) -> Chat:
    """A new chat with these of name, title, task, model_id, metadata. Raises DoorError conflict for a taken name."""
    chat = Chat(owner=user, **fields)
    if chat.title:
        chat.title_source = Chat.TitleSource.USER
    _require_small(chat.metadata)
    try:
        commit(_insert, chat)
    except IntegrityError as error:
        taken = {"name": ["It is taken."]}
        raise DoorError("conflict", f"You have a chat named “{chat.name}” already.", fields=taken) from error
    _tell("created", chat)
    return chat


def change_chat(user: User, id_or_name: str, changes: Fields) -> Chat:
    """The chat with `changes`: title, status, pinned, active_leaf (a message's id or None), metadata to merge.

    An active leaf that is a request stands for its newest response: a branch ends with an answer.

    Raises DoorError: not_found, or invalid with the field named.
    """
    chat = reading.get_chat(user, id_or_name)
    if not changes:
        return chat
    changed = commit(_change, user, str(chat.pk), changes)
    _tell("updated", changed)
    return changed


def delete_chat(user: User, id_or_name: str) -> None:
    """Takes the chat from its owner's sight, frees its name, and cancels what runs in it.

    What was said stays in the log, for the audit; files that no other chat uses go. Raises DoorError not_found.
    """
    chat = reading.get_chat(user, id_or_name)
    _tell("deleted", commit(_delete, user, str(chat.pk)))
    get_engine().tidying.look(now=True)


def _tell(change: str, chat: Chat) -> None:
    frame = encode_frame("chat", change=change, chat=reading.represent_chats([chat])[0])
    get_engine().hub.notify(chat.owner_id, frame)


# Jobs of the journal's thread


def _insert(chat: Chat) -> None:
    chat.save(force_insert=True)
    if chat.title:
        queue_title(chat.pk)


def _locked(user: User, chat_id: str) -> Chat:
    chat = reading.chats_for(user).select_for_update(no_key=True).filter(pk=UUID(chat_id)).first()
    if chat is None:
        raise DoorError("not_found", _("There is no such chat, or it isn't yours."))
    return chat


def _change(user: User, chat_id: str, changes: Fields) -> Chat:
    chat = _locked(user, chat_id)
    if "title" in changes:
        chat.title, chat.title_source = changes["title"], Chat.TitleSource.USER
        queue_title(chat.pk)
    for name in ("status", "pinned"):
        if name in changes:
            setattr(chat, name, changes[name])
    if "active_leaf" in changes:
        chat.active_leaf = _leaf(chat, changes["active_leaf"])
    if "metadata" in changes:
        merged = {**chat.metadata, **changes["metadata"]}
        chat.metadata = {name: value for name, value in merged.items() if value is not None}
        _require_small(chat.metadata)
    chat.updated_at = timezone.now()
    chat.save(update_fields=["title", "title_source", "status", "pinned", "active_leaf", "metadata", "updated_at"])
    return chat


def _leaf(chat: Chat, message_id: str | None) -> Message | None:
    if message_id is None:
        return None
    found = Message.objects.filter(chat=chat, pk=UUID(message_id)).first() if is_uuid7(message_id) else None
    if found is None:
        raise _wrong_leaf("It must be the id of a message in this chat.")
    if found.kind == Message.Kind.RESPONSE:
        return found
    newest = Message.objects.filter(chat=chat, parent=found).order_by("-id").first()
    if newest is None:
        raise _wrong_leaf("That message has no answer: give an answer's id.")
    return newest


def _wrong_leaf(message: str) -> DoorError:
    return DoorError("invalid", f"“active_leaf” isn't right: {message}", fields={"active_leaf": [message]})


def _delete(user: User, chat_id: str) -> Chat:
    chat = _locked(user, chat_id)
    chat.status, chat.name, chat.updated_at = Chat.State.DELETED, None, timezone.now()
    chat.save(update_fields=["status", "name", "updated_at"])
    runs.cancel_runs_of(chat)
    release_files(chat)
    return chat


def _require_small(metadata: Fields) -> None:
    if len(canonical_json(metadata)) > MAX_METADATA:
        message = f"A chat's metadata may have {MAX_METADATA} characters as JSON."
        raise DoorError("invalid", f"“metadata” isn't right: {message}", fields={"metadata": [message]})
