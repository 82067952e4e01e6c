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


_SIZES = (
    (r"(openai/)?gpt-5", 272_000),
    (r"(openai/)?gpt-4\.1", 1_000_000),
    (r"(openai/)?(gpt-4o|gpt-4-turbo|chatgpt-4o)", 128_000),
    (r"(openai/)?o[134](-|$)", 128_000),
    (r"(openai/)?gpt-4(-\d{4})?$", 8_192),
    (r"(openai/)?gpt-3\.5-turbo", 16_000),
)

# What OpenAI's own models call the least that they think; others take no word for it.
_LEAST_EFFORT = (
    (r"gpt-5\.\d+(-20|$)", "none"),
    (r"gpt-5(-mini|-nano)?(-20|$)", "minimal"),
    (r"(o1|o3|o3-mini|o4-mini)(-20|$)", "low"),
)


@dataclass(frozen=True, kw_only=True)
class Traits:
    """`least_effort`: its word for thinking as little as it can; None where it can't be told how long to think.

    `takes_temperature`: it isn't refused. `context_tokens`: of OpenAI's own models; None when not known."""

    accepts: tuple[str, ...] = ("text",)
    takes_temperature: bool = True
    context_tokens: int | None = None
    least_effort: str | None = None


def traits_of(model_id: str) -> Traits:
    """What the model of this id can do."""
    sees = _SEES.search(model_id) and not _BLIND.search(model_id)
    return Traits(
        accepts=("text", "image") if sees else ("text",),
        takes_temperature=not _REASONS.match(model_id),
        context_tokens=next((size for pattern, size in _SIZES if re.match(pattern, model_id)), None),
        least_effort=next((word for pattern, word in _LEAST_EFFORT if re.match(pattern, model_id)), None),
    )


def answers_chats(model_id: str) -> bool:
    """Whether it is a model for chats, as far as its name tells: lists have those for sound and vectors too."""
    return not _NO_CHAT.search(model_id)


def context_tokens_of(model: Mapping[str, Any]) -> int | None:
    """How much a listed model can read, where its server says so (vLLM, gateways)."""
    for name in ("max_model_len", "context_length", "context_window", "max_context_length"):
        if isinstance(model.get(name), int) and model[name] > 0:
            return int(model[name])
    return None
