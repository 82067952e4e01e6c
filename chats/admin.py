"""The admin: what is on record, read-only, and tokens to look after; more is in library_admin.py.

Lists and detail pages show ids, owners, statuses, sizes and times, never what anybody wrote: that is read through
transcripts.read_transcript, which asks for a reason and keeps it. The pages for that are here too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Length
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from chats import library_admin  # noqa: F401 - registers personas, prompts and feedback
from chats.api.bodies import parse_cursor
from chats.api.files import headers_of
from chats.engine import get_engine
from chats.files import File
from chats.models import AccessRecord, AccessToken, Chat, Event, Message, Run, Worker
from chats.presentation import error_words, items_of
from chats.protocol import DoorError, is_uuid7
from chats.readonly_admin import OfAChat, ReadOnlyAdmin, link
from chats.transcripts import LONGEST_REASON, may_read_transcripts, read_file, read_log, read_transcript
from chats.uploads import open_bytes

if TYPE_CHECKING:
    from workbench.models import User

logger = logging.getLogger(__name__)

REASONS = "transcript_reasons"  # the session's: chat id → why this reader reads it
MOST_REASONS = 50
PATIENCE = 20.0  # seconds to wait for the writer


class ReasonForm(forms.Form):
    """Why somebody's chat is read."""

    reason = forms.CharField(
        label="Why do you read this chat?",
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"class": "vTextField", "autofocus": True}),
        help_text="It is kept with your name, the chat and the time, and can't be changed afterwards.",
    )


@admin.register(Chat)
class ChatAdmin(ReadOnlyAdmin):
    """Chats without their words, and the door to their transcripts."""

    list_display = (
        "id",
        "read",
        "owner",
        "task",
        "model_id",
        "status",
        "message_count",
        "created_at",
        "last_message_at",
    )
    list_filter = ("status", "task", "last_message_at")
    list_select_related = ("owner",)
    ordering = ("-last_message_at", "-id")
    fields = (
        *("id", "owner", "status", "task", "model_id", "message_count", "created_at", "updated_at", "last_message_at"),
        "read",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Chat]:
        chats = super().get_queryset(request).defer("title", "metadata")
        return chats.annotate(number_of_messages=Count("messages"))

    @admin.display(description="messages")
    def message_count(self, chat: Any) -> int:
        return cast("int", chat.number_of_messages)

    @admin.display(description="transcript")
    def read(self, chat: Chat) -> SafeString:
        return link("chats_chat_transcript", "Read", chat.pk)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<uuid:chat_id>/transcript/", view(self.transcript_view), name="chats_chat_transcript"),
            path("<uuid:chat_id>/files/<uuid:file_id>/", view(self.file_view), name="chats_chat_file"),
            path("<uuid:chat_id>/log/<uuid:response_id>/", view(self.log_view), name="chats_chat_log"),
        ]
        return own + super().get_urls()

    def transcript_view(self, request: HttpRequest, chat_id: UUID) -> HttpResponse:
        """The chat in reading order. Asks why first, once per chat and session; `?after=` is the next stretch."""
        chat = get_object_or_404(Chat, pk=chat_id)
        user = cast("User", request.user)

        def show(reason: str) -> dict[str, Any]:
            page = read_transcript(user, chat, reason, _uuid_or_none(request.GET.get("after")))
            turns = [
                {
                    "turn": turn,
                    "items_shown": items_of(_with_addresses(chat, turn.parts)),
                    "problems": [{**error, "words": error_words(error["type"])} for error in turn.errors],
                }
                for turn in page.turns
            ]
            return {"turns": turns, "following": page.following}

        return self._with_reason(request, chat, "admin/chats/transcript.html", show)

    def log_view(self, request: HttpRequest, chat_id: UUID, response_id: UUID) -> HttpResponse:
        """One response's events as they are stored."""
        response = get_object_or_404(Message, pk=response_id, chat=chat_id, kind=Message.Kind.RESPONSE)
        user = cast("User", request.user)

        def show(reason: str) -> dict[str, Any]:
            page = read_log(user, response, reason, _sequence(request.GET.get("after")))
            return {"title": "Event log", "response": response, "events": page.events, "following": page.following}

        return self._with_reason(request, response.chat, "admin/chats/log.html", show)

    def file_view(self, request: HttpRequest, chat_id: UUID, file_id: UUID) -> HttpResponse:
        """What is attached to a message of the chat. Each reading is on record, as its transcript's is."""
        chat, user = get_object_or_404(Chat, pk=chat_id), cast("User", request.user)
        reason = request.session.get(REASONS, {}).get(str(chat.pk))
        if reason is None or not may_read_transcripts(user):
            return HttpResponseRedirect(reverse("admin:chats_chat_transcript", args=[chat.pk]))
        try:
            file = read_file(user, chat, file_id, reason)
            if file is None:
                raise Http404
            with open_bytes(file) as opened:
                return HttpResponse(opened.read(), headers=headers_of(file) | {"Cache-Control": "no-store"})
        except DoorError as refusal:
            return HttpResponse(refusal.message, "text/plain; charset=utf-8", refusal.http_status)

    def _with_reason(
        self, request: HttpRequest, chat: Chat, template: str, show: Callable[[str], dict[str, Any]]
    ) -> HttpResponse:
        """The page that `show` fills, once there's a reason; until then the form that asks for one."""
        if not may_read_transcripts(cast("User", request.user)):
            raise PermissionDenied
        reasons = request.session.get(REASONS, {})
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            kept = list(reasons.items())[1 - MOST_REASONS :]
            request.session[REASONS] = dict(kept) | {str(chat.pk): form.cleaned_data["reason"]}
            return HttpResponseRedirect(request.get_full_path())
        context = self.admin_site.each_context(request) | {"opts": self.opts, "chat": chat, "title": "Transcript"}
        if request.method == "POST" or str(chat.pk) not in reasons:
            return TemplateResponse(request, "admin/chats/reason.html", context | {"form": form})
        reason = reasons[str(chat.pk)]
        try:
            return TemplateResponse(request, template, context | show(reason) | {"reason": reason})
        except DoorError as refusal:
            messages.error(request, refusal.message)
            return TemplateResponse(request, "admin/chats/reason.html", context | {"form": form}, status=503)


def _with_addresses(chat: Chat, parts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """With the door for staff as the `address` of what is attached; the API's is its owner's."""
    return [
        {**part, "address": reverse("admin:chats_chat_file", args=[chat.pk, part["file_id"]])}
        if part["kind"] in ("image", "file") and is_uuid7(part["file_id"])
        else part
        for part in parts
    ]


def _uuid_or_none(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Http404 from error


def _sequence(text: str | None) -> int:
    try:
        return parse_cursor(text, "after")
    except DoorError as error:
        raise Http404 from error


@admin.register(Message)
class MessageAdmin(OfAChat):
    id_fields = ("pk", "chat", "parent")
    owner_field = "chat__owner__username"
    list_display = ("id", "of_chat", "owner", "kind", "status", "task", "model_id", "size", "created_at", "finished_at")
    list_filter = ("kind", "status", "task", "created_at")
    list_select_related = ("chat__owner",)
    ordering = ("-id",)
    fields = (
        *("id", "of_chat", "owner", "parent_id", "kind", "status", "sequence", "task", "model_id", "usage", "size"),
        *("has_hidden", "created_at", "finished_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        rows = (
            super().get_queryset(request).annotate(characters=Length("parts"), hidden_characters=Length("unredacted"))
        )
        return rows.defer("parts", "errors", "metadata", "unredacted", "chat__title", "chat__metadata")

    @admin.display(description="owner", ordering="chat__owner__username")
    def owner(self, message: Message) -> str:
        return message.chat.owner.get_username()

    @admin.display(description="stored characters", ordering="characters")
    def size(self, message: Any) -> int:
        return cast("int", message.characters)

    @admin.display(description="has hidden parts", boolean=True)
    def has_hidden(self, message: Any) -> bool:
        return message.hidden_characters is not None


@admin.register(Run)
class RunAdmin(OfAChat):
    id_fields = ("pk", "chat", "request_message")
    exact_fields = ("correlation_id", "request_id")
    owner_field = "user__username"
    search_help_text = "A whole id (also a correlation id), or a part of the user's name"
    list_display = (
        *("response_id", "of_chat", "user", "task", "model_id", "status", "error_type", "number_of_notes"),
        *("created_at", "seconds", "log"),
    )
    list_filter = ("status", "task", "error_type", "created_at")
    list_select_related = ("user",)
    ordering = ("-created_at",)
    fields = (
        *("response_id", "request_message_id", "of_chat", "user", "task", "model_id", "handler_version", "config_hash"),
        *("status", "error_type", "correlation_id", "request_id", "worker", "number_of_notes"),
        *("cancel_requested_at", "created_at", "finished_at", "seconds", "log"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return super().get_queryset(request).defer("inputs")

    @admin.display(description="notes")
    def number_of_notes(self, run: Run) -> int:
        return len(run.notes)

    @admin.display(description="seconds")
    def seconds(self, run: Run) -> str:
        return f"{(run.finished_at - run.created_at).total_seconds():.1f}" if run.finished_at else ""

    @admin.display(description="events")
    def log(self, run: Run) -> SafeString:
        return link("chats_chat_log", "Log", run.chat_id, run.pk)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    id_fields = ("response", "response__chat")
    owner_field = "response__chat__owner__username"
    search_help_text = "The whole id of a response or chat, or a part of the owner's name"
    list_display = ("id", "of_response", "sequence", "type", "is_hidden", "timestamp", "size")
    list_filter = ("emit", "type", "timestamp")
    list_select_related = ("response",)
    ordering = ("-id",)
    fields = ("id", "of_response", "sequence", "type", "is_hidden", "timestamp", "size", "has_details")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        sizes = {"characters": Length("payload"), "detail_characters": Length("details")}
        left_out = ("payload", "details", "response__parts", "response__errors", "response__metadata")
        return super().get_queryset(request).annotate(**sizes).defer(*left_out, "response__unredacted")

    @admin.display(description="response", ordering="response")
    def of_response(self, event: Event) -> SafeString:
        return link("chats_chat_log", str(event.response_id), event.response.chat_id, event.response_id)

    @admin.display(description="hidden", boolean=True, ordering="emit")
    def is_hidden(self, event: Event) -> bool:
        return not event.emit

    @admin.display(description="characters", ordering="characters")
    def size(self, event: Any) -> int:
        return cast("int", event.characters)

    @admin.display(description="has details", boolean=True)
    def has_details(self, event: Any) -> bool:
        return event.detail_characters is not None


@admin.register(File)
class FileAdmin(ReadOnlyAdmin):
    """Files without their names; what is in them is read from a transcript."""

    list_display = ("id", "owner", "mime_type", "size", "state", "created_at")
    list_filter = ("state", "mime_type", "created_at")
    list_select_related = ("owner",)
    ordering = ("-id",)
    fields = ("id", "owner", "mime_type", "size", "sha256", "state", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[File]:
        return super().get_queryset(request).defer("name")


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    owner_field = "host"
    search_help_text = "A whole id, or a part of the host's name"
    list_display = ("id", "host", "pid", "started_at", "beat_at", "ended_at", "unfinished_runs")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "started_at")
    ordering = ("-started_at",)
    fields = ("id", "host", "pid", "boot_id", "started_at", "beat_at", "ended_at", "unfinished_runs")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        running = Count("runs", filter=Q(runs__status__in=("queued", "running")))
        return super().get_queryset(request).annotate(running=running)

    @admin.display(description="unfinished runs", ordering="running")
    def unfinished_runs(self, worker: Any) -> int:
        return cast("int", worker.running)


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnlyAdmin):
    id_fields = ("pk", "chat")
    owner_field = "user__username"
    search_help_text = "A whole id, or a part of the reader's name"
    list_display = ("at", "user", "chat_id", "reason")
    list_filter = ("at",)
    list_select_related = ("user",)
    ordering = ("-at",)
    fields = ("id", "at", "user", "chat_id", "reason")


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin):
    """Tokens without their secrets, which nobody has but their holders. They are made by manage.py create_token."""

    owner_field = "user__username"
    search_help_text = "A whole id, or a part of the user's name"
    list_display = ("hint", "name", "user", "scopes_listed", "state", "created_at", "expires_at", "last_used_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("user",)
    ordering = ("-created_at",)
    fields = (
        *("id", "hint", "name", "user", "scopes_listed", "state"),
        *("created_at", "expires_at", "revoked_at", "last_used_at"),
    )
    actions = ("revoke",)

    @admin.display(description="scopes")
    def scopes_listed(self, token: AccessToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="state")
    def state(self, token: AccessToken) -> str:
        if token.revoked_at:
            return "revoked"
        return "expired" if token.expires_at and token.expires_at <= timezone.now() else "valid"

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return cast("User", request.user).has_perm("chats.change_accesstoken")

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        ids = list(queryset.filter(revoked_at=None).values_list("pk", flat=True))
        try:
            revoked = get_engine().write(_revoke, ids).result(PATIENCE)
        except DoorError as refusal:
            messages.error(request, refusal.message)
            return
        except (DatabaseError, TimeoutError):
            logger.warning("Tokens can't be revoked: the database doesn't answer.", exc_info=True)
            messages.error(request, "The database doesn't answer. Look in a moment which tokens are revoked.")
            return
        messages.success(request, f"{revoked} revoked. What was opened with them closes within seconds.")


def _revoke(token_ids: list[UUID]) -> int:
    return AccessToken.objects.filter(pk__in=token_ids, revoked_at=None).update(revoked_at=timezone.now())
