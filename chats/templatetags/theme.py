"""Light, dark, or as the reader's system is: what the pages' root element says, by the cookie that theme.js writes."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

register = template.Library()

COOKIE = "theme"
THEMES = {"": _("System"), "light": _("Light"), "dark": _("Dark")}


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """` data-theme="dark"`, or nothing where the system decides."""
    chosen = _chosen(context)
    return format_html(' data-theme="{}"', chosen) if chosen else ""


@register.simple_tag(takes_context=True)
def themes(context: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """What there is to choose from: value, label, and whether it is chosen."""
    chosen = _chosen(context)
    return [(value, str(label), value == chosen) for value, label in THEMES.items()]


def _chosen(context: dict[str, Any]) -> str:
    """Error pages that are made without a request go by the system."""
    request: HttpRequest | None = context.get("request")
    cookie = request.COOKIES.get(COOKIE, "") if request else ""
    return cookie if cookie in THEMES else ""
