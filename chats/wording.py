"""The words of the page's modules in the reader's language: the `djangojs` catalogue, as plain data.

Owns no words: those are in chats/locale/. English needs none, since every text is its own key.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

__all__ = ["page_words"]


def page_words() -> dict[str, Any] | None:
    """`{text: translation, or a list of its plural forms}` in the active language; None where there are none."""
    return _words(get_language() or settings.LANGUAGE_CODE) or None


@lru_cache(maxsize=32)
def _words(language: str) -> dict[str, Any]:
    catalogue = JavaScriptCatalog()
    folders = [str(path) for path in settings.LOCALE_PATHS]
    catalogue.translation = DjangoTranslation(language, domain="djangojs", localedirs=folders)
    words: dict[str, Any] = catalogue.get_catalog()
    return words
