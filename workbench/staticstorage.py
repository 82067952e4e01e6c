"""Static files: hashed and compressed names once `collectstatic` has made them, plain ones before.

So that `migrate` and `serve` are enough for a site, and `collectstatic` makes it faster. What our own modules say to
their readers is left out of what it collects: a third of their size.
"""

import re
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

__all__ = ["HashedOnceCollected", "without_comments"]

OWN = re.compile(r"chats/.*\.(?:js|css)")
# Comments that have their lines to themselves, and indentation; nothing that could stand in a string.
_COMMENTS = re.compile(r"^[ \t]*(?:/\*(?:[^*]|\*(?!/))*\*/[ \t]*\n|//[^\n]*\n)", re.MULTILINE)
_INDENTATION = re.compile(r"^[ \t\n]+", re.MULTILINE)


def without_comments(source: str) -> str:
    """A module or style sheet of ours, which has no comment marks at the beginning of a line of a template string."""
    return _INDENTATION.sub("", _COMMENTS.sub("", source))


class HashedOnceCollected(CompressedManifestStaticFilesStorage):
    """whitenoise's storage, which would raise for every file while there is no manifest."""

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name

    def _save(self, name: str, content: Any) -> str:
        if OWN.fullmatch(name.replace("\\", "/")):
            content = ContentFile(without_comments(content.read().decode()).encode())
        return str(super()._save(name, content))
