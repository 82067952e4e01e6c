"""From a chat's messages to the turns of a model request.

Owns the rules that model APIs refuse a request over: turns alternate, the first and last are the user's, no text is
empty. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from handlers.messages import Message
from handlers.models.continuing import GO_ON, is_continuation
from handlers.models.seam import ContentBlock, ModelMessage

_CONTEXT = re.compile(r'(?s)<context title="([^"\n]*)">\n(.*)\n</context>')
_Role = Literal["user", "assistant"]


def to_model_messages(
    history: Iterable[Message], request: Message, context: Iterable[Mapping[str, Any]] | None = None
) -> list[ModelMessage]:
    """The turns up to and with `request`. Each context item is a text block of its own before the question.

    Only what the user saw is given: not hidden parts, not reasoning. A response without visible text (cancelled, or
    an error) leaves no turn, so the two requests round it become one.
    """
    turns: list[ModelMessage] = []
    for message in history:
        _add(turns, "assistant" if message.kind == "response" else "user", [_told(message)])
    _add(turns, "user", [*map(context_text, context or []), _told(request)])
    while turns and turns[0]["role"] != "user":
        turns.pop(0)
    return turns


def _told(message: Message) -> str:
    return GO_ON if is_continuation(message) else message.text


def _add(turns: list[ModelMessage], role: _Role, texts: list[str]) -> None:
    blocks: list[ContentBlock] = [{"text": text} for text in texts if text.strip()]
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"].extend(blocks)
    else:
        turns.append({"role": role, "content": blocks})


def context_text(item: Mapping[str, Any]) -> str:
    """A context item as a text block that a model can tell from the question; empty when it has no content."""
    content = str(item.get("content") or "").strip()
    title = " ".join(str(item.get("title") or item.get("type") or "context").split()).replace('"', "'")
    return f'<context title="{title}">\n{content}\n</context>' if content else ""


def parse_context_text(block: str) -> tuple[str, str] | None:
    """Title and content of a block that `context_text` made; None for any other text."""
    match = _CONTEXT.fullmatch(block)
    return (match[1], match[2]) if match else None
