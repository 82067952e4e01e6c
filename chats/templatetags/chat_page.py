"""Tags and filters of the chat page and the admin's transcript: modules, icons, and parts in words."""

from __future__ import annotations

import json
import re
from typing import Any

from django import template
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from chats.presentation import Item

register = template.Library()

# Every module is imported by a bare name: the import map gives it the address with the content's hash
# (Django's manifest storage rewrites no imports that are worth relying on).
MODULES = (
    "answer",
    "api",
    "banner",
    "composer",
    "cursor",
    "dom",
    "flush",
    "message",
    "outbox",
    "render",
    "scroll",
    "sidebar",
    "socket",
    "storage",
    "thread",
    "transcript",
)

_WEB_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# As in json_script: what would end the script element, or start a comment in it.
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def module_addresses() -> dict[str, str]:
    """Bare name → address, for all modules that the page imports."""
    return {f"wb/{name}": static(f"chats/{name}.js") for name in MODULES}


@register.simple_tag
def import_map() -> SafeString:
    text = json.dumps({"imports": module_addresses()}).translate(_ESCAPES)
    return mark_safe(text)  # noqa: S308 -- JSON without <, > and &


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of chats/icons.html, as decoration."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#icon-{}"></use></svg>', name)


@register.simple_tag
def part(item: Item) -> str:
    """One card, by the partial of its kind."""
    return get_template(item.partial).render({"part": item.part, "returned": item.returned})


@register.simple_tag
def source_title(title: str, pointer: str | None) -> SafeString:
    """A source's title, as a link where its pointer is an address of the web and of nothing else."""
    if not pointer or not _WEB_ADDRESS.match(pointer):
        return format_html('<span class="title" dir="auto">{}</span>', title)
    link = '<a class="title" dir="auto" href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
    return format_html(link, pointer, title)


@register.simple_tag
def listed(*facts: Any) -> str:
    """The facts that there are, with dots between them."""
    return " · ".join(str(fact) for fact in facts if fact not in (None, ""))


@register.filter
def pages(count: int | None) -> str:
    return ngettext("%d page", "%d pages", count) % count if count else ""


@register.filter
def words(count: int | None) -> str:
    return ngettext("%d word", "%d words", count) % count if count else ""


@register.filter
def page_number(page: int | None) -> str:
    return gettext("p. %d") % page if page else ""


@register.filter
def in_json(value: Any) -> str:
    """JSON as people read it: strings bare, the rest indented."""
    return value if isinstance(value, str) else json.dumps(_as_in_javascript(value), ensure_ascii=False, indent=2)


def _as_in_javascript(value: Any) -> Any:
    """Whole floats as whole numbers: JavaScript doesn't tell 100.0 from 100, and both pages shall say the same."""
    if isinstance(value, dict):
        return {name: _as_in_javascript(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_in_javascript(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@register.filter
def in_words(name: str) -> str:
    """`progress_report` → `Progress report`."""
    text = re.sub(r"[_.:-]+", " ", name).strip()
    return text[:1].upper() + text[1:]


@register.filter
def is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)


@register.filter
def pairs(mapping: dict[str, Any]) -> list[tuple[str, Any]]:
    """Names and values. A template's own `.items` would find a field of that name first."""
    return list(mapping.items())
