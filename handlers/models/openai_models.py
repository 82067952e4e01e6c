"""What is known of models behind OpenAI's API, by their names: dated data, in one place.

As of November 2026. The API tells a model's id and little else. A model that isn't known here works too. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SEES = re.compile(
    r"(?i)gpt-4o|gpt-4\.1|gpt-4-turbo|gpt-5|(^|/)o[134](-|$)|vision|llava|bakllava|moondream|pixtral|gemma-?3|gemini"
    r"|claude|llama-?4|mistral-small-?3|[-_.]vl\b|qwen[\d.]*-?vl|minicpm-v|internvl"
)
_BLIND = re.compile(r"(?i)o1-mini|o3-mini|gemma-?3n?[-:](1b|270m)")
_REASONS = re.compile(r"(?i)^(o\d|gpt-5)(?!-chat)")
_NO_CHAT = re.compile(
    r"(?i)embed|bge-|whisper|tts|dall-e|moderation|gpt-image|transcribe|realtime|-audio|sora|rerank|davinci|babbage"
    r"|computer-use|guard"
)


@dataclass(frozen=True, kw_only=True)
class Traits:
    """`takes_temperature`: it isn't refused."""

    accepts: tuple[str, ...] = ("text",)
    takes_temperature: bool = True


def traits_of(model_id: str) -> Traits:
    """What the model of this id can do."""
    sees = _SEES.search(model_id) and not _BLIND.search(model_id)
    return Traits(accepts=("text", "image") if sees else ("text",), takes_temperature=not _REASONS.match(model_id))


def answers_chats(model_id: str) -> bool:
    """Whether it is a model for chats, as far as its name tells: lists have those for sound and vectors too."""
    return not _NO_CHAT.search(model_id)


def context_tokens_of(model: Mapping[str, Any]) -> int | None:
    """How much a listed model can read, where its server says so (vLLM, gateways)."""
    for name in ("max_model_len", "context_length", "context_window", "max_context_length"):
        if isinstance(model.get(name), int) and model[name] > 0:
            return int(model[name])
    return None
