"""The web chat's pages: a new chat, and a chat of the reader's own.

Owns what the page brings with it: the transcript as HTML, readable without JavaScript, and the same objects as
data, from which the modules in static/chats/ take over. Both come from reading.py's representations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chats.models import Chat
from chats.presentation import ERROR_WORDS, shown_message
from chats.protocol import DoorError
from chats.reading import branch, chats_for, get_chat, represent_chats, represent_messages
from chats.templatetags.chat_page import module_addresses
from handlers.registry import HandlerDescription, registry

if TYPE_CHECKING:
    from workbench.models import User

CHATS_LISTED = 50  # as many as the first page of the API's list that the page reads when it is back


@never_cache
@login_required
@require_safe
def new_chat(request: HttpRequest) -> HttpResponse:
    """The page with nothing in it yet. The chat is made by the first start."""
    return _page(request, None)


@never_cache
@login_required
@require_safe
def chat(request: HttpRequest, chat_id: UUID) -> HttpResponse:
    """A chat's active branch. 404 for what isn't there and what isn't the reader's."""
    try:
        found = get_chat(cast("User", request.user), str(chat_id))
    except DoorError as refusal:
        raise Http404(refusal.message) from refusal
    return _page(request, found)


def _page(request: HttpRequest, open_chat: Chat | None) -> HttpResponse:
    user = cast("User", request.user)
    newest = chats_for(user).filter(status=Chat.State.ACTIVE).order_by("-updated_at", "-id")[:CHATS_LISTED]
    chats = represent_chats(list(newest))
    represented = represent_chats([open_chat])[0] if open_chat else None
    messages = represent_messages(branch(open_chat.active_leaf)) if open_chat and open_chat.active_leaf else []
    handlers = registry.describe_for(user)
    labels = {handler.name: handler.label for handler in handlers}
    data = {
        "user_id": str(user.pk),
        "chat": represented,
        "chats": chats,
        "messages": messages,
        "urls": _addresses(),
        "wording": {"tasks": labels, "errors": {name: str(text) for name, text in ERROR_WORDS.items()}},
    }
    context = {
        "chat": represented,
        "chats": chats,
        "messages_shown": [shown_message(message, labels) for message in messages],
        "handlers": handlers,
        "chosen_task": _chosen_task(represented, handlers),
        "default_model": settings.WORKBENCH_DEFAULT_MODEL,
        "module_addresses": module_addresses().values(),
        "page_data": data,
    }
    return render(request, "chats/page.html", context)


def _chosen_task(chat: dict[str, Any] | None, handlers: list[HandlerDescription]) -> str:
    """Who answers unless the reader chooses: the chat's last, where it's still to be had, else the default."""
    usable = [handler for handler in handlers if handler.available]
    if chat and any(handler.name == chat["task"] for handler in usable):
        return str(chat["task"])
    return next((handler.name for handler in usable if handler.default), usable[0].name if usable else "")


def _addresses() -> dict[str, str]:
    """What the modules call; `{id}` stands for a chat's id."""
    no_id = UUID(int=0)
    return {
        "home": reverse("chats:new"),
        "chat": reverse("chats:chat", args=[no_id]).replace(str(no_id), "{id}"),
        "login": reverse("login"),
        "api": "/api/v1/",
        "socket": "/ws/chat/",
    }
