"""Tags and filters of the chat page and the admin's transcript: modules, icons, and parts in words."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.loader import get_template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from chats.presentation import Item
from chats.protocol import is_uuid7

register = template.Library()

# Every module is imported by a bare name: the import map gives it the address with the content's hash
# (Django's manifest storage rewrites no imports that are worth relying on).
PRELOADED = (
    "addresses",
    "answer",
    "api",
    "banner",
    "branches",
    "chatlist",
    "choices",
    "composer",
    "cursor",
    "deletions",
    "dom",
    "flush",
    "keys",
    "library",
    "outbox",
    "pagekeys",
    "queue",
    "scroll",
    "shelves",
    "sidebar",
    "socket",
    "storage",
    "thread",
    "toasts",
    "transcript",
    "welcome",
    "words",
)
# All of these, as collectstatic joins them (workbench/staticstorage.py).
JOINED = "chats/first.js"
# With the first message, or with the page that brings one.
MESSAGES = (
    "actions",
    "answerview",
    "cards",
    "clipboard",
    "eventviews",
    "items",
    "message",
    "optional",
    "render",
    "sizes",
    "sources",
    "stylesheet",
    "text",
    "threadview",
)
# Imported when somebody asks for what they do.
ON_DEMAND = (
    "attachments",
    "chatmenu",
    "chips",
    "editing",
    "feedback",
    "folding",
    "help",
    "kept",
    "keptform",
    "optionsform",
    "prompts",
    "refusals",
    "search",
    "theme",
    "trace",
    "uploads",
)
SHEETS = ("composer.css", "parts.css")  # of what is imported
# The same, where npm's libraries are; those themselves only when there is code, or a formula.
MARKDOWN = (
    "blocks",
    "code",
    "document",
    "entities",
    "heal",
    "highlight",
    "inline",
    "lexer",
    "links",
    "math",
    "turning",
)
MODULES = (*PRELOADED, *MESSAGES, *ON_DEMAND, *(f"markdown/{name}" for name in MARKDOWN))
LIBRARIES = {
    "marked": "npm/marked/lib/marked.esm.js",
    "highlight.js": "npm/@highlightjs/cdn-assets/es/highlight.min.js",
    "katex": "npm/katex/dist/katex.min.js",
    "katex.css": "npm/katex/dist/katex.min.css",
}

LONG_QUESTION, LONG_QUESTION_LINES = 1500, 20  # characters, lines; of the rest, parts.css shows 15 lines

_WEB_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# As in json_script: what would end the script element, or start a comment in it.
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@lru_cache
def is_installed(path: str) -> bool:
    """Whether a library's file can be served, from collectstatic's folder or from npm's."""
    collected = getattr(staticfiles_storage, "hashed_files", {})
    return path in collected if collected else finders.find(path) is not None


def _is_joined() -> bool:
    return JOINED in getattr(staticfiles_storage, "hashed_files", {})


def module_addresses() -> dict[str, str]:
    """Bare name → address, for all that the pages' modules import. A library that isn't installed is left out."""
    installed = {name: static(path) for name, path in LIBRARIES.items() if is_installed(path)}
    sheets = {f"wb/{name}": static(f"chats/{name}") for name in SHEETS}
    first = dict.fromkeys((f"wb/{name}" for name in PRELOADED), static(JOINED)) if _is_joined() else {}
    return {f"wb/{name}": static(f"chats/{name}.js") for name in MODULES} | first | sheets | installed


def preloaded_addresses(*, with_answers: bool) -> list[str]:
    """The addresses of what a page needs, to be fetched at once and not one import after the other."""
    first = [JOINED] if _is_joined() else [f"chats/{name}.js" for name in PRELOADED]
    names = [*first, *(f"chats/{name}.js" for name in (MESSAGES if with_answers else ()))]
    if with_answers and is_installed(LIBRARIES["marked"]):
        names += [*(f"chats/markdown/{name}.js" for name in MARKDOWN), LIBRARIES["marked"]]
    return [static(name) for name in names]


@register.simple_tag
def import_map() -> SafeString:
    text = json.dumps({"imports": module_addresses()}).translate(_ESCAPES)
    return mark_safe(text)  # noqa: S308 -- JSON without <, > and &


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of chats/icons.html, as decoration."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#icon-{}"></use></svg>', name)


@register.simple_tag(takes_context=True)
def part(context: dict[str, Any], item: Item, message_kind: str) -> str:
    """One card, by the partial of its kind. A stored file can be had where the page's context has `files_are_open`, or
    at the `address` that the part was given for this page."""
    file_id = str(item.part.get("file_id"))  # as a handler may have made it up
    address = item.part.get("address", "")
    if is_uuid7(file_id) and context.get("files_are_open"):
        address = reverse("api:file", args=[file_id])
    shown = {"part": item.part, "returned": item.returned, "sources": item.sources, "file_address": address}
    return get_template(item.partial).render({**shown, "is_answer": message_kind == "response"})


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
def briefly(fields: dict[str, Any] | None) -> str:
    """What distinguishes this tool call from another: its arguments' short values."""
    values = [value for value in (fields or {}).values() if isinstance(value, str | int | float)]
    return ", ".join(value if isinstance(value, str) else json.dumps(_as_in_javascript(value)) for value in values)[
        :120
    ]


@register.filter
def is_long(text: str) -> bool:
    """Whether a question is shown in part until more is asked for, as static/chats/message.js has it too."""
    return len(text) > LONG_QUESTION or text.count("\n") > LONG_QUESTION_LINES


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
