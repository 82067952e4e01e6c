"""The admin's page of handlers: on or off, default, label, who may use each, its options, and whether it can run."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join

from handlers.config import effective_config, env_key, set_options, unknown_options
from handlers.config_store import HandlerConfig
from handlers.errors import InvalidOptions, UnknownHandler
from handlers.registry import HandlerEntry, registry


class HandlerConfigForm(forms.ModelForm):
    """Checks options with the handler's own `Config`, so that nobody stores what would turn a handler off."""

    class Meta:
        model = HandlerConfig
        fields = ["enabled", "default", "label", "groups", "options"]

    def clean_options(self) -> dict[str, Any]:
        """The options, {} for none; a message for each one that doesn't fit."""
        options = self.cleaned_data["options"] or {}
        if not isinstance(options, dict):
            raise ValidationError('Options are a JSON object, like {"field": "value"}.')
        entry = _find_entry(self.instance.name)
        problems = _option_problems(entry, options) if entry else []
        if problems:
            raise ValidationError([ValidationError(problem) for problem in problems])
        return options


def _option_problems(entry: HandlerEntry, options: dict[str, Any]) -> list[str]:
    if options and entry.prototype is not None:
        return ["This handler was registered as an instance: its options are set in code."]
    problems = [f"{name}: the handler has no such option." for name in unknown_options(entry.handler_class, options)]
    try:
        effective_config(entry.handler_class, entry.name, options)
    except InvalidOptions as error:
        problems += [f"{field}: {' '.join(messages)}" for field, messages in error.fields.items()]
    return problems


def _find_entry(name: str) -> HandlerEntry | None:
    try:
        return registry.get(name)
    except UnknownHandler:
        return None


@admin.register(HandlerConfig)
class HandlerConfigAdmin(admin.ModelAdmin):
    """Every handler that is installed, and rows of those that no longer are (which may be deleted)."""

    form = HandlerConfigForm
    list_display = ["name", "label", "enabled", "default", "availability", "updated_at"]
    list_filter = ["enabled"]
    search_fields = ["name", "label"]
    filter_horizontal = ["groups"]
    readonly_fields = ["name", "description", "availability", "known_options", "updated_at"]
    fields = [*readonly_fields[:3], "enabled", "default", "label", "groups", "known_options", "options", "updated_at"]

    @admin.display(description="available")
    def availability(self, row: HandlerConfig) -> str:
        """Yes, or why not."""
        if _find_entry(row.name) is None:
            return "No: no handler of this name is installed."
        found = registry.availability(row.name)
        return "Yes" if found.available else f"No: {found.words}"

    @admin.display(description="what it does")
    def description(self, row: HandlerConfig) -> str:
        """The handler's own words."""
        entry = _find_entry(row.name)
        return entry.description if entry else ""

    @admin.display(description="known options")
    def known_options(self, row: HandlerConfig) -> str:
        """What `options` may set, and what holds without it. Values from the environment may be secret."""
        entry = _find_entry(row.name)
        config = entry.handler_class.Config if entry and entry.prototype is None else None
        if config is None:
            return "None."
        given = set_options(row.name)
        return format_html_join(
            "",
            "<p><strong>{}</strong>: {} ({})</p>",
            (
                (name, field.description or "", _without_row(row.name, name, field, given))
                for name, field in config.model_fields.items()
            ),
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show handlers without a row too: a row of defaults means the same as none."""
        if self.has_view_permission(request):
            rows = [HandlerConfig(name=name) for name in registry.names()]
            HandlerConfig.objects.bulk_create(rows, ignore_conflicts=True)
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come with the handlers."""
        return False


def _without_row(handler: str, name: str, field: Any, given: dict[str, Any]) -> str:
    if name.lower() in given:
        return f"set by WORKBENCH_HANDLER_{env_key(handler).upper()}__{name.upper()}"
    return "required" if field.is_required() else f"default {field.get_default(call_default_factory=True)!r}"
