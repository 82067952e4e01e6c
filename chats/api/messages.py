"""The messages of a chat, whole tree or one branch, and a single one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from chats import reading
from chats.api.bodies import invalid
from chats.api.door import Door, user_of
from chats.api.errors import json_response
from chats.api.pagination import page_of, page_of_ids
from chats.models import Chat, Message
from chats.protocol import is_uuid7

__all__ = ["MessageDoor", "MessagesDoor", "leaf_of"]


class MessagesDoor(Door):
    """GET chats/{id}/messages/: the tree's, chronological; with ?leaf= that message's branch, root first."""

    def get(self, request: Request, chat_id: str) -> HttpResponse:
        chat = reading.get_chat(user_of(request), chat_id)
        messages = reading.messages_of(chat)
        leaf = leaf_of(request, chat)
        if leaf is None:
            return json_response(page_of(messages, request, "id", reading.represent_messages))
        return json_response(page_of_ids(reading.branch_ids(leaf), request, _represent))


def leaf_of(request: Request, chat: Chat) -> Message | None:
    """`?leaf=`: a message of the chat. Raises DoorError invalid."""
    leaf_id = request.query_params.get("leaf")
    if leaf_id is None:
        return None
    leaf = reading.messages_of(chat).filter(pk=UUID(leaf_id)).first() if is_uuid7(leaf_id) else None
    if leaf is None:
        raise invalid("leaf", "It must be the id of a message in this chat.")
    return leaf


def _represent(ids: Sequence[UUID]) -> list[dict[str, Any]]:
    found = {message.pk: message for message in Message.objects.filter(pk__in=ids)}
    return reading.represent_messages([found[message_id] for message_id in ids])


class MessageDoor(Door):
    """GET messages/{id}/"""

    def get(self, request: Request, message_id: str) -> HttpResponse:
        return json_response(reading.represent_message(reading.get_message(user_of(request), message_id)))
