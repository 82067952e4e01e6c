"""Starting a run: from a request body to a committed request, response, run and first event.

Owns what a start means (protocol §4): which chat and parent, which handler and model, what is busy, and
when the same request comes again. `plan_start` reads and checks in a query thread; `store_start` is one
transaction in the journal's thread. Launching is the engine's, once that has committed.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from chats import limits, reading
from chats.attaching import attach, require_few_files, stored_parts
from chats.hub import Opening
from chats.models import UNFINISHED, Chat, Message, Persona, Run, Status
from chats.orphans import start_fields
from chats.protocol import Batch, DoorError, StartBody, WireEvent, is_shadowed, is_uuid7
from chats.rows import find_run, insertion_of_events
from chats.statements import execute, insertion, update
from handlers.encoding import canonical_json
from handlers.errors import HandlerUnavailable, InvalidOptions, UnknownHandler
from handlers.registry import UsableHandler, registry

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["Plan", "Started", "Stored", "find_repeated", "plan_start", "store_start"]

TITLE_CHARACTERS = 60
GO_ON = "Continue."  # what a continuation is for people; how it is put to a model is its handler's


@dataclass(frozen=True, slots=True)
class Started:
    """What a start gave. `attached`: the same request had been sent before, and this is its response."""

    request_id: str | None
    chat_id: str
    message_id: str
    response_id: str
    attached: bool = False
    opening: Opening | None = None  # where it has just been stored


@dataclass(frozen=True, slots=True)
class Stored:
    """What the transaction of a start wrote."""

    started: Started
    run: Run
    handler: UsableHandler
    opening: Opening
    chat_created: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A start that may go ahead, as far as can be seen outside the transaction."""

    user: User
    body: StartBody
    body_hash: str
    task: str
    model_id: str
    handler_version: str
    handler: UsableHandler
    inputs: dict[str, Any]


def plan_start(user: User, body: StartBody) -> Plan | Started:
    """Checks everything that needs no lock. Raises DoorError; gives Started where it is a repetition."""
    body_hash = hashlib.sha256(body.canonical().encode()).hexdigest()
    try:
        return _plan(user, body, body_hash)
    except DoorError:
        # What was taken once stays taken, though its handler has been turned off since, say.
        repeated = _repeated(user, body, body_hash)
        if repeated is None:
            raise
        return repeated


def _plan(user: User, body: StartBody, body_hash: str) -> Plan:
    require_few_files(body)
    chat = _find_chat(user, body.chat_id)
    task = body.task or (chat.task if chat else "") or registry.default_name()
    handler = _find_handler(user, task)
    return Plan(
        user=user,
        body=body,
        body_hash=body_hash,
        task=task,
        model_id=body.model_id or (chat.model_id if chat else "") or settings.WORKBENCH_DEFAULT_MODEL,
        handler_version=registry.version_of(task),
        handler=handler,
        inputs=_inputs(user, body, task),
    )


def find_repeated(plan: Plan) -> Started | None:
    """What the same request, sent before, has started. Raises DoorError where its body was another."""
    return _repeated(plan.user, plan.body, plan.body_hash)


def store_start(plan: Plan, worker_id: UUID | None) -> Stored:
    """Writes the start, claimed by `worker_id`. Raises DoorError. Ask `find_repeated` first, in the transaction."""
    limits.require_room(plan.user.pk)
    chat, created = _lock_chat(plan)
    request = _request_for(plan, chat, created)
    response = Message(
        chat=chat,
        parent=request,
        kind=Message.Kind.RESPONSE,
        status=Status.RUNNING,
        task=plan.task,
        model_id=plan.model_id,
    )
    run = Run(
        response=response,
        request_message=request,
        chat=chat,
        user=plan.user,
        request_id=plan.body.request_id,
        body_hash=plan.body_hash,
        correlation_id=str(uuid.uuid4()),
        task=plan.task,
        model_id=plan.model_id,
        handler_version=plan.handler_version,
        config_hash=plan.handler.config_hash,
        inputs=plan.inputs,
        status=Status.RUNNING,
        worker_id=worker_id,
    )
    fields = _touch_chat(chat, plan, request, response)
    payload = canonical_json(start_fields(run))
    at = timezone.now()
    begin = insertion_of_events([(str(run.pk), 0, "response_start", True, at, payload, None)])
    new = [insertion(each) for each in (chat, request, response, run) if each._state.adding]
    execute(*new, *([] if created else [update(chat, *fields)]), begin)  # keys of each other's are checked at the end
    first = Batch(str(run.pk), -1, 0, [WireEvent("response_start", 0, payload)], int(at.timestamp() * 1000))
    opening = Opening(first)
    return Stored(replace(_started(run), opening=opening), run, plan.handler, opening, created)


# What is asked for


def _repeated(user: User, body: StartBody, body_hash: str) -> Started | None:
    if body.request_id is None:
        return None
    run = find_run(user.pk, body.request_id)
    if run is None:
        return None
    if run.body_hash != body_hash:
        message = "This request_id was used for another request. Use a new one for each."
        raise DoorError("conflict", message, fields={"request_id": ["Already used with another body."]})
    return _started(run, attached=True)


def _started(run: Run, *, attached: bool = False) -> Started:
    return Started(run.request_id, str(run.chat_id), str(run.request_message_id), str(run.pk), attached)


def _find_chat(user: User, id_or_name: str | None) -> Chat | None:
    """The chat that is named; None where it is to be made. An id that isn't the user's is not found."""
    if id_or_name is None:
        return None
    if is_uuid7(id_or_name):
        return reading.get_chat(user, id_or_name)
    found = reading.chats_for(user).filter(name=id_or_name).first()
    if found is None and is_shadowed(id_or_name):
        text = f"A name can't end in “/{id_or_name.rpartition('/')[2]}”: that is another address of the chat."
        raise DoorError("invalid", "Some fields aren't right.", fields={"chat_id": [text]})
    return found


def _find_handler(user: User, task: str) -> UsableHandler:
    """That the user may use the handler and it can run now."""
    try:
        return registry.find_usable(user, task)
    except UnknownHandler as error:
        usable = ", ".join(entry.name for entry in registry.entries_for(user))
        message = f"There is no handler “{task}” that you may use."
        raise DoorError("not_found", message, fields={"task": [f"Choose one of: {usable}."]}) from error
    except HandlerUnavailable as error:
        message = f"The handler “{task}” isn't available: {error.reason}"
        raise DoorError("handler_unavailable", message, retry_after=30) from error


def _inputs(user: User, body: StartBody, task: str) -> dict[str, Any]:
    """What the handler gets beside the messages, as it is kept for the audit."""
    try:
        registry.parse_options(task, body.options)
    except InvalidOptions as error:
        fields = {f"options.{name}": messages for name, messages in error.fields.items()}
        raise DoorError("invalid", "Some options aren't right.", fields=fields) from error
    return {
        "context": None if body.context is None else [item.model_dump() for item in body.context],
        "options": body.options,
        "persona_id": body.persona_id,
        "persona": _persona_prompt(user, body.persona_id),
    }


def _persona_prompt(user: User, persona_id: str | None) -> str | None:
    if persona_id is None:
        return None
    persona = Persona.objects.visible_to(user).filter(pk=UUID(persona_id)).first() if is_uuid7(persona_id) else None
    if persona is None:
        raise DoorError("not_found", _("There is no such persona."), fields={"persona_id": ["Not found."]})
    return persona.prompt


# In the transaction


def _lock_chat(plan: Plan) -> tuple[Chat, bool]:
    """The chat, and whether it is still to be written; else its row is locked until the transaction ends, so that
    starts in it take turns."""
    name = plan.body.chat_id
    locked = reading.chats_for(plan.user).select_for_update(no_key=True)
    if name is None:
        return Chat(owner=plan.user), True
    if is_uuid7(name):
        chat = locked.filter(pk=UUID(name)).first()
        if chat is None:
            raise DoorError("not_found", _("There is no such chat, or it isn't yours."))
        return chat, False
    chat = locked.filter(name=name).first()
    if chat is not None:
        return chat, False
    # A deleted chat gives its name up, so that the client's next one can have it.
    Chat.objects.filter(owner=plan.user, name=name, status=Chat.State.DELETED).update(name=None)
    return Chat(owner=plan.user, name=name), True


def _request_for(plan: Plan, chat: Chat, created: bool) -> Message:
    """The request to answer: a new one, or for a regeneration the one that is named."""
    parent = _parent(plan.body, chat)
    parts = _asked_parts(plan.body, parent)
    if parent is not None and parent.kind == Message.Kind.REQUEST:
        if parts is not None:
            text = "That's a question. To answer it once more leave parts out; to edit it give its own parent."
            raise DoorError("invalid", "Some fields aren't right.", fields={"parent_id": [text]})
        _require_idle(plan.body, chat, Q(request_message=parent))
        return parent
    if parts is None:
        raise DoorError("invalid", "Some fields aren't right.", fields={"parts": ["Field required"]})
    if parent is not None and parent.status in UNFINISHED:
        raise DoorError("busy", _("The answer before this one is still being written."), retry_after=1)
    if not created:
        _require_idle(plan.body, chat, Q(request_message__parent=parent))
    parts, files = stored_parts(plan.user, parts)
    now = timezone.now()
    request = Message(
        chat=chat,
        parent=parent,
        kind=Message.Kind.REQUEST,
        parts=parts,
        metadata={"continues": str(parent.pk)} if parent and plan.body.continuation else {},
        task=plan.task,
        model_id=plan.model_id,
        created_at=now,
        finished_at=now,
    )
    attach(files, request)
    return request


def _asked_parts(body: StartBody, parent: Message | None) -> list[dict[str, Any]] | None:
    """The parts of the request to be made, if one is. A continuation names an answer, and needs no words."""
    if not body.continuation:
        return None if body.parts is None else [part.model_dump() for part in body.parts]
    if parent is None or parent.kind != Message.Kind.RESPONSE:
        text = "Only an answer can be gone on with: give its id as parent_id."
        raise DoorError("invalid", "Some fields aren't right.", fields={"continuation": [text]})
    return [{"kind": "text", "content": GO_ON}]


def _parent(body: StartBody, chat: Chat) -> Message | None:
    if not body.names_parent:
        return chat.active_leaf
    if body.parent_id is None:
        return None
    found = None
    if is_uuid7(body.parent_id):
        found = Message.objects.filter(chat=chat, pk=UUID(body.parent_id)).first()
    if found is None:
        raise DoorError("not_found", _("There is no such message in this chat."), fields={"parent_id": ["Not found."]})
    return found


def _require_idle(body: StartBody, chat: Chat, under: Q) -> None:
    """Nothing runs under the same parent, unless a branch is meant."""
    if not body.branch and Run.objects.filter(under, chat=chat, status__in=UNFINISHED).exists():
        raise DoorError("busy", _("Another answer is being written here. Wait for it, or branch."), retry_after=1)


def _touch_chat(chat: Chat, plan: Plan, request: Message, response: Message) -> tuple[str, ...]:
    """Has the chat show its newest question; gives the fields that this changes."""
    chat.active_leaf = response
    chat.task = plan.task
    chat.model_id = plan.model_id
    chat.updated_at = chat.last_message_at = timezone.now()
    if not chat.title:
        chat.title = first_words(request.parts)
    return ("active_leaf_id", "task", "model_id", "updated_at", "last_message_at", "title")


def first_words(parts: list[dict[str, Any]]) -> str:
    """A title until there is a better one: the beginning of what was asked, cut at a word; else what was attached."""
    text = " ".join(" ".join(part.get("content", "") for part in parts).split())
    text = text or ", ".join(part["name"] for part in parts if part.get("name"))
    if len(text) <= TITLE_CHARACTERS:
        return text
    cut = text[:TITLE_CHARACTERS]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"
