"""The admin of what people keep and say of answers: personas and prompts to look after, feedback to read."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chats.models import Feedback, Persona, Prompt
from chats.readonly_admin import OfAChat


class SharedAdmin(admin.ModelAdmin):
    """The site's own, and who else keeps some. What is somebody's own shows its text here as it does to him."""

    list_display = ("name", "owner", "description", "enabled", "updated_at")
    list_filter = ("enabled", "groups", ("owner", admin.EmptyFieldListFilter))
    list_select_related = ("owner",)
    search_fields = ("name", "description", "owner__username")
    filter_horizontal = ("groups",)
    autocomplete_fields = ("owner",)


@admin.register(Persona)
class PersonaAdmin(SharedAdmin):
    fields = ("name", "description", "prompt", "enabled", "owner", "groups")


@admin.register(Prompt)
class PromptAdmin(SharedAdmin):
    fields = ("name", "description", "text", "enabled", "owner", "groups")


@admin.register(Feedback)
class FeedbackAdmin(OfAChat):
    """Thumbs and comments, which are written for those who read this; the answers themselves are behind the link."""

    id_fields = ("pk", "message__chat")
    owner_field = "message__chat__owner__username"
    search_help_text = "The whole id of a response or chat, or a part of the owner's name"
    list_display = ("message_id", "of_chat", "owner", "rating", "comment", "task", "model_id", "updated_at")
    list_filter = ("rating", "message__task", "message__model_id", "updated_at")
    list_select_related = ("message__chat__owner",)
    ordering = ("-updated_at",)
    fields = ("message_id", "of_chat", "owner", "rating", "comment", "task", "model_id", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        words = ("parts", "errors", "metadata", "unredacted", "chat__title", "chat__metadata")
        return super().get_queryset(request).defer(*(f"message__{name}" for name in words))

    @admin.display(description="owner", ordering="message__chat__owner__username")
    def owner(self, feedback: Feedback) -> str:
        return feedback.message.chat.owner.get_username()

    @admin.display(description="task", ordering="message__task")
    def task(self, feedback: Feedback) -> str:
        return feedback.message.task

    @admin.display(description="model", ordering="message__model_id")
    def model_id(self, feedback: Feedback) -> str:
        return feedback.message.model_id
