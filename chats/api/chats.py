"""Chats: listed, made, read, changed and deleted."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request

from chats import editing, reading
from chats.api.bodies import ChatChange, NewChat, invalid, parse_time, read_object
from chats.api.door import Door, user_of
from chats.api.errors import json_response
from chats.api.pagination import page_of
from chats.models import Chat, ChatQuerySet
from chats.protocol import parse_body

__all__ = ["ChatDoor", "ChatsDoor"]


class ChatsDoor(Door):
    """GET chats/: newest change first, archived ones too. POST: a new chat."""

    orderings: ClassVar[tuple[str, ...]] = (
        *("-updated_at", "updated_at", "-created_at", "created_at"),
        *("-last_message_at", "last_message_at"),
    )
    statuses: ClassVar[tuple[str, ...]] = (Chat.State.ACTIVE, Chat.State.ARCHIVED)

    def get(self, request: Request) -> HttpResponse:
        ordering = request.query_params.get("ordering") or self.orderings[0]
        if ordering not in self.orderings:
            raise invalid("ordering", f"It must be one of {', '.join(self.orderings)}.")
        chats = self._filtered(reading.chats_for(user_of(request)), request)
        return json_response(page_of(chats, request, ordering, reading.represent_chats))

    def _filtered(self, chats: ChatQuerySet, request: Request) -> ChatQuerySet:
        wanted = request.query_params.get("status")
        if wanted:
            statuses = [status.strip() for status in wanted.split(",")]
            if not set(statuses) <= set(self.statuses):
                raise invalid("status", f"It must be {' or '.join(self.statuses)}, or both with a comma between.")
            chats = chats.filter(status__in=statuses)
        pinned = request.query_params.get("pinned")
        if pinned:
            if pinned not in ("true", "false"):
                raise invalid("pinned", "It must be true or false.")
            chats = chats.filter(pinned=pinned == "true")
        since = request.query_params.get("updated_since")
        if since:
            chats = chats.filter(updated_at__gte=parse_time(since, "updated_since"))
        return chats

    def post(self, request: Request) -> HttpResponse:
        body = parse_body(NewChat, read_object(request._request))
        chat = editing.create_chat(user_of(request), body.model_dump(exclude_unset=True, exclude_none=True))
        location = request.build_absolute_uri(reverse("api:chat", args=[chat.pk]))
        return json_response(reading.represent_chat(chat, []), 201, {"Location": location})


class ChatDoor(Door):
    """One chat, by its id or by the client's own name for it."""

    def get(self, request: Request, chat_id: str) -> HttpResponse:
        return _one(reading.get_chat(user_of(request), chat_id))

    def patch(self, request: Request, chat_id: str) -> HttpResponse:
        user = user_of(request)
        reading.get_chat(user, chat_id)  # whose it is comes before what is wrong with the body
        changes = parse_body(ChatChange, read_object(request._request)).model_dump(exclude_unset=True)
        return _one(editing.change_chat(user, chat_id, changes))

    def delete(self, request: Request, chat_id: str) -> HttpResponse:
        editing.delete_chat(user_of(request), chat_id)
        return HttpResponse(status=204)


def _one(chat: Chat) -> HttpResponse:
    return json_response(reading.represent_chats([chat])[0])
