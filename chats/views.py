"""The web chat's pages: a new chat, and a chat of the reader's own.

Owns what the page brings with it: the transcript as HTML, readable without JavaScript, and the same objects as
data, from which the modules in static/chats/ take over. Both come from reading.py's representations. The modules
go from chat to chat without a new page: `state` gives them what another page would have brought.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from chats.filetypes import ACCEPTED
from chats.models import Chat, Persona, Run
from chats.presentation import ERROR_WORDS, shown_message
from chats.protocol import DoorError
from chats.reading import branch, chats_for, get_chat, get_response, messages_of, represent_chats, represent_messages
from chats.refusals import told
from chats.shelves import shelved
from chats.templatetags.chat_page import preloaded_addresses
from chats.wording import page_words
from handlers.models import available_models
from handlers.registry import HandlerDescription, registry

if TYPE_CHECKING:
    from workbench.models import User

CHATS_LISTED = 50  # as many as the first page of the API's list that the page reads when it is back
PINNED_LISTED = 100
PERSONAS_LISTED = 200  # more than anybody picks from a menu
DOORS = {
    "search": "api:search",
    "feedback": "api:feedback",
    "export": "api:export",
    "prompts": "api:prompts",
    "personas": "api:personas",
}


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


@never_cache
@require_safe
def state(request: HttpRequest, chat_id: UUID) -> HttpResponse:
    """What `chat` brings as data, alone: `{chat, messages, tree}`. Errors have the API's shape."""
    if not request.user.is_authenticated:
        return JsonResponse(told(DoorError("unauthorized", "Sign in first.")), status=401)
    try:
        found = get_chat(request.user, str(chat_id))
    except DoorError as refusal:
        return JsonResponse(told(refusal), status=refusal.http_status)
    return JsonResponse(_state_of(found))


@never_cache
@require_safe
def trace(request: HttpRequest, response_id: UUID) -> HttpResponse:
    """`{correlation_id, address, label}` of an answer's run: `address` is its page in the admin, for who may see that,
    `label` what the id is called.

    404 for what isn't the reader's, and for every reader who may not trace.
    """
    if not request.user.is_authenticated:
        return JsonResponse(told(DoorError("unauthorized", "Sign in first.")), status=401)
    if not _may_trace(request.user):
        raise Http404
    try:
        run = Run.objects.get(pk=get_response(request.user, str(response_id)).pk)
    except DoorError as refusal:
        return JsonResponse(told(refusal), status=refusal.http_status)
    address = reverse("admin:chats_run_change", args=[run.pk]) if _may_see_runs(request.user) else None
    return JsonResponse({"correlation_id": run.correlation_id, "address": address, "label": _("Correlation id")})


def _may_trace(user: User) -> bool:
    return settings.DEBUG or _may_see_runs(user)


def _may_see_runs(user: User) -> bool:
    return user.is_staff and user.has_perm("chats.view_run")


def _state_of(chat: Chat) -> dict[str, Any]:
    """`tree` has [id, parent's id] of every message, of all branches, in order of time."""
    messages = represent_messages(branch(chat.active_leaf)) if chat.active_leaf else []
    tree = [
        [str(message_id), str(parent) if parent else None]
        for message_id, parent in messages_of(chat).values_list("id", "parent_id")
    ]
    return {"chat": represent_chats([chat])[0], "messages": messages, "tree": tree}


@gzip_page  # of random length, and the token in it is masked anew each time
def _page(request: HttpRequest, open_chat: Chat | None) -> HttpResponse:
    user = cast("User", request.user)
    chats = _listed_chats(user)
    opened = _state_of(open_chat) if open_chat else {"chat": None, "messages": [], "tree": []}
    handlers = [_chosen_from(handler) for handler in registry.describe_for(user)]
    labels = {handler["name"]: handler["label"] for handler in handlers}
    data = {
        **opened,
        "user_id": str(user.pk),
        "chats": chats,
        "handlers": handlers,
        "models": [asdict(model) for model in available_models()],
        "default_model": settings.WORKBENCH_DEFAULT_MODEL,
        "personas": _personas(user),
        "features": _features(),
        "uploads": _uploads(),
        "urls": _addresses(),
        "wording": {
            "tasks": labels,
            "errors": {name: str(text) for name, text in ERROR_WORDS.items()},
            **({"trace": _address_with_id("chats:trace")} if _may_trace(user) else {}),
        },
    }
    context = {
        "chat": opened["chat"],
        "chat_groups": shelved(chats),
        "messages_shown": [shown_message(message, labels) for message in opened["messages"]],
        "handlers": handlers,
        "chosen": _chosen(opened["chat"], handlers),
        "features": data["features"],
        "module_addresses": preloaded_addresses(with_answers=bool(opened["messages"])),
        "page_data": data,
        "files_are_open": True,
        "page_words": page_words(),
    }
    return render(request, "chats/page.html", context)


def _listed_chats(user: User) -> list[dict[str, Any]]:
    """The newest, newest first, and all that are pinned."""
    active = chats_for(user).filter(status=Chat.State.ACTIVE).order_by("-last_message_at", "-id")
    newest = list(active[:CHATS_LISTED])
    listed = {chat.pk for chat in newest}
    pinned = [chat for chat in active.filter(pinned=True)[:PINNED_LISTED] if chat.pk not in listed]
    return represent_chats([*newest, *pinned])


def _chosen_from(handler: HandlerDescription) -> dict[str, Any]:
    """The API's handler object, with questions to begin with."""
    return {**asdict(handler), "examples": list(registry.get(handler.name).handler_class.examples)}


def _personas(user: User) -> list[dict[str, str]]:
    personas = Persona.objects.visible_to(user).order_by("name", "id")[:PERSONAS_LISTED]
    return [{"id": str(persona.pk), "name": persona.name, "description": persona.description} for persona in personas]


def _chosen(chat: dict[str, Any] | None, handlers: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Who answers unless the reader chooses: the chat's last, where it's still to be had, else the default."""
    usable = {handler["name"]: handler for handler in handlers if handler["available"]}
    if chat and chat["task"] in usable:
        return usable[chat["task"]]
    default = [handler for handler in usable.values() if handler["default"]]
    return next(iter([*default, *usable.values()]), None)


def _features() -> list[str]:
    """What the API has doors for: nothing is offered that leads nowhere."""
    return [feature for feature, door in DOORS.items() if _is_routed(door)]


def _uploads() -> dict[str, Any]:
    """What may be attached, so that the page can say so before anything is sent; `types` beside texts of any type."""
    return {
        "max_bytes": settings.WORKBENCH_MAX_FILE_BYTES,
        "max_files": settings.WORKBENCH_MAX_FILES_PER_MESSAGE,
        "types": ACCEPTED,
    }


def _is_routed(door: str) -> bool:
    for arguments in ([], [UUID(int=0)]):
        try:
            reverse(door, args=arguments)
        except NoReverseMatch:
            continue
        return True
    return False


def _addresses() -> dict[str, str]:
    """What the modules call; `{id}` stands for a chat's id."""
    return {
        "home": reverse("chats:new"),
        "chat": _address_with_id("chats:chat"),
        "login": reverse("login"),
        "api": "/api/v1/",
        "socket": "/ws/chat/",
    }


def _address_with_id(name: str) -> str:
    no_id = UUID(int=0)
    return reverse(name, args=[no_id]).replace(str(no_id), "{id}")
