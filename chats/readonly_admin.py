"""What the admin's pages of records share: rows found by id or owner, shown without their words, never changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

__all__ = ["OfAChat", "ReadOnlyAdmin", "link"]


def link(name: str, text: str, *arguments: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{name}", args=arguments), text)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and shows rows, found by id or by owner; changes none.

    `id_fields` and `owner_field` are what the search looks in: by key, so that it stays quick in long tables.
    """

    id_fields: tuple[str, ...] = ("pk",)
    exact_fields: tuple[str, ...] = ()
    owner_field = "owner__username"
    search_fields = ("pk",)  # has the search box shown; get_search_results looks
    search_help_text = "A whole id, or a part of the owner's user name"
    change_form_template = "admin/chats/read_only.html"
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            wanted = Q(*[(name, UUID(term)) for name in self.id_fields], _connector=Q.OR)
        except ValueError:
            wanted = Q((f"{self.owner_field}__icontains", term))
        for name in self.exact_fields:
            wanted |= Q((name, term))
        return queryset.filter(wanted), False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        # Instead of the row's own name, which may be somebody's words: a chat's is its title.
        named = {"original": object_id, "subtitle": object_id}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **named})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404("These rows aren't changed in the admin, so there's no history of changes.")


class OfAChat(ReadOnlyAdmin):
    """A row that belongs to a chat, with the way to its transcript."""

    @admin.display(description="chat")
    def of_chat(self, row: Any) -> SafeString:
        chat_id = row.chat_id if hasattr(row, "chat_id") else row.message.chat_id
        return link("chats_chat_transcript", str(chat_id), chat_id)
