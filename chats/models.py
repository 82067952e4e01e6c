"""Who said what, what happened, and who may see it.

Owns the tables; personas and prompts are sharing.py's, files files.py's, the search index is searchindex.py's. Knows
nothing of runs in progress (runner.py), sockets or HTTP. A response's truth is its Events;
`Message.parts` is their fold (transcript.py), written with the last of them.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from chats.fields import JSONTextField, new_id
from chats.files import File
from chats.searchindex import SearchEntry
from chats.sharing import Persona, Prompt

if TYPE_CHECKING:
    from workbench.models import User

__all__ = [
    "UNFINISHED",
    "AccessRecord",
    "AccessToken",
    "Chat",
    "Event",
    "Feedback",
    "File",
    "Message",
    "Persona",
    "Prompt",
    "Run",
    "SearchEntry",
    "Status",
    "Worker",
]


class Status(models.TextChoices):
    """Of a run and of the message that it fills."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ERROR = "error"


UNFINISHED = (Status.QUEUED.value, Status.RUNNING.value)


class ChatQuerySet(models.QuerySet["Chat"]):
    def visible_to(self, user: User) -> ChatQuerySet:
        """The chats that `user` owns and hasn't deleted. Staff read others' by transcripts.read_transcript only."""
        return self.filter(owner=user).exclude(status=Chat.State.DELETED)


class Chat(models.Model):
    """A tree of messages with one owner.

    Any change moves `updated_at`, by which clients sync. `last_message_at`, by which people find a chat again, moves
    when a question is asked and when an answer ends; a chat without a message has the time of its making there.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        ARCHIVED = "archived"
        DELETED = "deleted"

    class TitleSource(models.TextChoices):
        FIRST_WORDS = "first_words"
        AUTO = "auto"
        USER = "user"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="chats", db_index=False)
    name = models.CharField(
        max_length=200, null=True, blank=True, help_text="The client's own name for the chat, unique per owner."
    )
    title = models.CharField(max_length=200, blank=True, default="")
    title_source = models.CharField(max_length=11, choices=TitleSource, default=TitleSource.FIRST_WORDS)
    status = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    task = models.CharField(max_length=100, blank=True, default="", help_text="The handler of the last start.")
    model_id = models.CharField(max_length=200, blank=True, default="", help_text="The model of the last start.")
    pinned = models.BooleanField(default=False, db_default=False)
    active_leaf = models.ForeignKey("Message", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    metadata = JSONTextField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    last_message_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    objects = ChatQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="chat_name_unique_per_owner")]
        indexes = [
            models.Index(fields=["owner", "-updated_at", "-id"], name="chat_by_owner_recency"),
            models.Index(fields=["owner", "-created_at", "-id"], name="chat_by_owner_age"),
            models.Index(fields=["owner", "-last_message_at", "-id"], name="chat_by_owner_last_message"),
            models.Index(
                fields=["owner", "-last_message_at", "-id"], name="chat_pinned_by_owner", condition=Q(pinned=True)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)  # not the title: that is the owner's words, and this ends in logs and admin pages


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: User) -> MessageQuerySet:
        """The messages of the chats that `user` may read."""
        return self.filter(chat__owner=user).exclude(chat__status=Chat.State.DELETED)


class Message(models.Model):
    """One turn: a request (what a person sent) or a response (what a run's events fold to).

    `parts`, `metadata` and `errors` are what the owner may see. Where a handler hid events
    (emit=False), `unredacted` holds the same three with the hidden ones, for staff and handlers.
    """

    class Kind(models.TextChoices):
        REQUEST = "request"
        RESPONSE = "response"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    chat = models.ForeignKey(Chat, models.PROTECT, related_name="messages", db_index=False)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    status = models.CharField(max_length=9, choices=Status, default=Status.COMPLETED)
    sequence = models.BigIntegerField(
        null=True, blank=True, help_text="Of a finished response: its last event's sequence."
    )
    parts = JSONTextField(default=list, blank=True)
    errors = JSONTextField(default=list, blank=True)
    metadata = JSONTextField(default=dict, blank=True)
    unredacted = JSONTextField(null=True, blank=True)
    task = models.CharField(max_length=100, blank=True, default="")
    model_id = models.CharField(max_length=200, blank=True, default="")
    usage = JSONTextField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["chat", "id"], name="message_by_chat")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Feedback(models.Model):
    """What the owner of a chat thinks of a response: a thumb and a comment, for those who look after the site."""

    class Rating(models.TextChoices):
        UP = "up"
        DOWN = "down"

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="given_feedback")
    rating = models.CharField(max_length=4, choices=Rating)
    comment = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["-updated_at"], name="feedback_by_time")]

    def __str__(self) -> str:
        return f"{self.rating} for {self.message_id}"


class Worker(models.Model):
    """A process that holds a lease: it runs handlers and writes their events while it beats.

    Dead when `beat_at` is older than the lease by the database's clock; `ended_at` is set by its
    own clean stop or by the reaper, and from then on no batch of it commits.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    boot_id = models.CharField(max_length=64, blank=True, default="")
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    beat_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["beat_at"], name="worker_alive", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User) -> RunQuerySet:
        """The runs in the chats that `user` may read."""
        return self.filter(chat__owner=user).exclude(chat__status=Chat.State.DELETED)

    def unfinished(self) -> RunQuerySet:
        return self.filter(status__in=UNFINISHED)


class Run(models.Model):
    """One execution of a handler for one request; it fills one response, whose id is its own.

    `notes` is the audit's: what was dropped, corrected or went wrong beside the log, each
    `{"at": ISO 8601, "note": slug, …}`.
    """

    response = models.OneToOneField(Message, models.PROTECT, primary_key=True, related_name="run")
    request_message = models.ForeignKey(Message, models.PROTECT, related_name="answering_runs")
    chat = models.ForeignKey(Chat, models.PROTECT, related_name="runs", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="runs", db_index=False)
    request_id = models.CharField(
        max_length=128, null=True, blank=True, help_text="The client's own key for the start."
    )
    body_hash = models.CharField(max_length=64, blank=True, default="")
    correlation_id = models.CharField(max_length=36, db_index=True)
    task = models.CharField(max_length=100)
    model_id = models.CharField(max_length=200, blank=True, default="")
    handler_version = models.CharField(max_length=100, blank=True, default="")
    config_hash = models.CharField(max_length=64, blank=True, default="")
    inputs = JSONTextField(default=dict, help_text="context, options, persona_id and persona as the handler got them.")
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    error_type = models.CharField(max_length=100, null=True, blank=True)
    worker = models.ForeignKey(Worker, models.PROTECT, null=True, blank=True, related_name="runs", db_index=False)
    notes = JSONTextField(default=list, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "request_id"], name="run_request_id_unique_per_user")]
        indexes = [
            models.Index(fields=["chat"], name="run_unfinished_by_chat", condition=Q(status__in=UNFINISHED)),
            models.Index(fields=["user"], name="run_unfinished_by_user", condition=Q(status__in=UNFINISHED)),
            models.Index(fields=["worker"], name="run_unfinished_by_worker", condition=Q(status__in=UNFINISHED)),
            models.Index(fields=["created_at"], name="run_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.response_id}"


class Event(models.Model):
    """One row of the append-only log: what a handler yielded, numbered and never changed.

    `payload` is the event's own fields as canonical JSON text, sent to clients as it stands.
    `details` is for the audit only (an error's trace, say) and on no client's wire.
    """

    id = models.BigAutoField(primary_key=True)
    response = models.ForeignKey(Message, models.PROTECT, related_name="events", db_index=False)
    sequence = models.BigIntegerField()
    type = models.CharField(max_length=100)
    emit = models.BooleanField(default=True)
    timestamp = models.DateTimeField(default=timezone.now)
    payload = models.TextField(default="{}")
    details = models.TextField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["response", "sequence"], name="event_sequence_unique_per_response")
        ]

    def __str__(self) -> str:
        return f"{self.response_id} #{self.sequence} {self.type}"


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def valid(self) -> AccessTokenQuerySet:
        """Not revoked, not expired, of an active user."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(unexpired, revoked_at=None, user__is_active=True)

    def for_secret(self, secret: str) -> AccessTokenQuerySet:
        return self.valid().filter(digest=AccessToken.digest_of(secret))


class AccessToken(models.Model):
    """A bearer token for REST, SSE and websocket clients. Only its SHA-256 is stored.

    A token carries 256 random bits, so a plain hash is enough: there's nothing to guess.
    """

    class Scope(models.TextChoices):
        READ = "read", "read chats, messages, events, handlers, models"
        WRITE = "write", "change and delete chats"
        GENERATE = "generate", "start and cancel runs"

    PREFIX = "wb_"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100, blank=True, default="")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="Its first characters, to tell tokens apart.")
    scopes = JSONTextField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.hint}… {self.name}".strip()

    @staticmethod
    def digest_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def issue(cls, user: User, **fields: Any) -> tuple[AccessToken, str]:
        """A stored token and its secret, which can't be had again."""
        secret = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(user=user, digest=cls.digest_of(secret), hint=secret[:8], **fields)
        return token, secret

    def allows(self, scope: str) -> bool:
        return scope in self.scopes


class AccessRecord(models.Model):
    """That a member of staff read another's chat, when and why. Written before the reading; never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="access_records")
    chat = models.ForeignKey(Chat, models.PROTECT, related_name="access_records")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.user} read {self.chat_id} at {self.at:%Y-%m-%d %H:%M}"
