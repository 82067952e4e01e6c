"""How long a body with a file in it may be. Apart from who reads it: servers ask before Django's apps are there."""

from __future__ import annotations

from django.conf import settings

__all__ = ["FORM_BYTES", "longest_form"]

FORM_BYTES = 64 << 10  # beside the file


def longest_form() -> int:
    """Bytes of the longest one that is taken."""
    longest: int = settings.WORKBENCH_MAX_FILE_BYTES + FORM_BYTES
    return longest
