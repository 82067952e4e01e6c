"""Prompts: texts to start a question from; the site's, one's groups', one's own."""

from __future__ import annotations

from chats.api.library import KeptDoor, KeptsDoor, Kind, LongText, Name, NewKept
from chats.models import Prompt

__all__ = ["PromptDoor", "PromptsDoor"]


class NewPrompt(NewKept):
    """POST prompts/"""

    text: LongText


class PromptChange(NewKept):
    """PATCH prompts/{id}/: what is named changes."""

    name: Name = ""
    text: LongText = ""


PROMPTS = Kind(Prompt, NewPrompt, PromptChange, "text", text_is_open=True, address="api:prompt")


class PromptsDoor(KeptsDoor):
    """GET, POST prompts/"""

    kind = PROMPTS


class PromptDoor(KeptDoor):
    """GET, PATCH, DELETE prompts/{id}/"""

    kind = PROMPTS
