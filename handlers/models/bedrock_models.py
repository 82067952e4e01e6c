"""What is known of Bedrock's models: dated data, in one place.

As of November 2026, from AWS's documentation and not from an account. A model that isn't known here works too, with
the least that every model can do. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: Offered unless WORKBENCH_BEDROCK_MODELS says otherwise: inference profiles that work from every commercial region.
DEFAULT_MODELS = (
    "global.anthropic.claude-sonnet-5=Claude Sonnet 5",
    "global.anthropic.claude-opus-5=Claude Opus 5",
    "global.anthropic.claude-haiku-4-5-20251001-v1:0=Claude Haiku 4.5",
    "global.amazon.nova-2-lite-v1:0=Nova 2 Lite",
)

_GEOGRAPHY = re.compile(r"^(global|us|us-gov|eu|apac|jp|au|ca)\.")
_IN_ARN = re.compile(r"^arn:[^/]+/")


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What a family of models can do. `caches`: where cache points are allowed. `context_tokens`: None if unknown.
    `tools`: False where they are refused. `thinks`: it takes a budget of tokens to think with."""

    accepts: tuple[str, ...] = ("text",)
    caches: frozenset[str] = frozenset()
    cites: bool = False
    context_tokens: int | None = None
    tools: bool = True
    thinks: bool = False


_SEES = ("text", "image", "document")
_EVERYWHERE = frozenset({"system", "messages", "tools"})

_FAMILIES: tuple[tuple[str, Traits], ...] = (
    (r"anthropic\.claude-3-haiku", Traits(accepts=_SEES, context_tokens=200_000)),
    (r"anthropic\.claude-3-(opus|sonnet|5-sonnet)", Traits(accepts=_SEES, context_tokens=200_000)),
    (r"anthropic\.claude-3-5-haiku", Traits(accepts=("text", "document"), caches=_EVERYWHERE, context_tokens=200_000)),
    (
        r"anthropic\.claude-(3-7-sonnet|(sonnet|opus)-4-(20250514|1-|5-)|haiku-4-5)",
        Traits(accepts=_SEES, caches=_EVERYWHERE, cites=True, context_tokens=200_000, thinks=True),
    ),
    (r"anthropic\.claude-", Traits(accepts=_SEES, caches=_EVERYWHERE, cites=True, context_tokens=200_000)),
    (r"amazon\.nova-micro", Traits(caches=frozenset({"system", "messages"}), context_tokens=128_000)),
    (
        r"amazon\.nova-(2-)?(lite|pro|premier)",
        Traits(accepts=_SEES, caches=frozenset({"system", "messages"}), context_tokens=300_000),
    ),
    (r"meta\.llama4", Traits(accepts=_SEES, context_tokens=128_000)),
    (r"meta\.llama3-(8b|70b)", Traits(context_tokens=8_192, tools=False)),
    (r"meta\.llama3-[23]", Traits(accepts=("text", "document"), context_tokens=128_000)),
    (r"mistral\.mistral-large", Traits(accepts=("text", "document"), context_tokens=32_000)),
    (r"openai\.gpt-oss", Traits(context_tokens=128_000)),
)


def traits_of(model_id: str) -> Traits:
    """What the model of this id, inference profile or ARN can do; an application profile's ARN doesn't tell."""
    bare = _GEOGRAPHY.sub("", _IN_ARN.sub("", model_id))
    return next((traits for pattern, traits in _FAMILIES if re.match(pattern, bare)), Traits())


def labelled(entries: Iterable[str]) -> dict[str, str]:
    """Model ids and their labels, from entries `id` or `id=label`."""
    pairs = (entry.partition("=") for entry in entries)
    return {model_id.strip(): label.strip() or model_id.strip() for model_id, _, label in pairs}
