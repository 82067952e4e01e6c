"""How much of a chat a model is told: as many of its newest turns as it can read.

Owns the estimate of tokens and the choice of where a history is cut; see docs/tools.md, "What a model is told of a long
chat". What is told of each message is handlers.models.conversation's. Pure, and never reads an attachment.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.messages import (
    FilePart,
    ImagePart,
    Message,
    MessagePart,
    ReasoningPart,
    ToolCallPart,
    ToolReturnPart,
    is_text_type,
)
from handlers.models.seam import ContentBlock, ModelDescription, ModelMessage

BYTES_A_TOKEN = 3.5  # of UTF-8: on the safe side for English (4 to 5), about right for code and other scripts
MESSAGE_TOKENS = 4  # that a turn costs beside its content
IMAGE_TOKENS = 1_600  # what the models charge for a large one
DOCUMENT_TOKENS = 2_000  # the least for a PDF and the like
DOCUMENT_BYTES_A_TOKEN = 20
NOTE_TOKENS = 30  # of the sentence that stands for an attachment which the model can't read
MOST_ANSWER_TOKENS = 4_096  # kept free for an answer whose longest length isn't set
AFTER_A_CUT = 0.75  # of the room, which is filled: so that the same cut holds for some more questions

_TOLD_LIMITS = (
    re.compile(r"(?i)maximum context length (?:is|of) (\d{3,8})"),
    re.compile(r"> (\d{3,8}) maximum"),
    re.compile(r"(?i)context (?:size|window|length)[^0-9.]{0,20}(\d{3,8})"),
)


# --- the estimate


def text_tokens(text: str) -> int:
    """About how many tokens a text has: one for 3.5 bytes of UTF-8, and no fewer than it has words."""
    return max(-int(-len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN), len(text.split()))


def value_tokens(value: Any) -> int:
    """The same for any JSON value, by its text."""
    return text_tokens(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def message_tokens(message: Message, model: ModelDescription, *, tools: bool = True) -> int:
    """A chat's message, as handlers.models.conversation tells it to the model. Without `tools`, calls aren't told."""
    return MESSAGE_TOKENS + sum(_part_tokens(part, message, model, tools) for part in message.parts if not part.hidden)


def _part_tokens(part: MessagePart, message: Message, model: ModelDescription, tools: bool) -> int:
    match part:
        case ImagePart():
            return IMAGE_TOKENS + NOTE_TOKENS if "image" in model.accepts else NOTE_TOKENS
        case FilePart():
            return _file_tokens(part, model)
        case ToolCallPart():
            return value_tokens(part.tool_args) + MESSAGE_TOKENS if tools else 0
        case ToolReturnPart():
            return value_tokens(part.result) + MESSAGE_TOKENS if tools else 0
        case ReasoningPart():
            kept = message.model_id == model.id and (part.signature or part.redacted)
            return text_tokens(part.content) + text_tokens(part.redacted or part.signature or "") if kept else 0
    return text_tokens(part.content) if part.kind == "text" else 0


def _file_tokens(part: FilePart, model: ModelDescription) -> int:
    if is_text_type(part.mime_type):
        return int(part.size / BYTES_A_TOKEN) + NOTE_TOKENS
    if part.mime_type.startswith("image/"):
        return IMAGE_TOKENS + NOTE_TOKENS if "image" in model.accepts else NOTE_TOKENS
    if "document" in model.accepts:
        return max(DOCUMENT_TOKENS, part.size // DOCUMENT_BYTES_A_TOKEN)
    return NOTE_TOKENS


def turn_tokens(turns: Iterable[ModelMessage]) -> int:
    """Turns of a request, which the model has made itself or that hold its tools' results."""
    return sum(MESSAGE_TOKENS + sum(map(_block_tokens, turn["content"])) for turn in turns)


def _block_tokens(block: ContentBlock) -> int:
    if "text" in block:
        return text_tokens(str(block["text"]))
    return value_tokens(next(iter(block.values()), ""))


# --- the cut


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Which part of a history is told: `kept`, the newest messages; `left_out`, those before them. `tokens` is the
    estimate for `kept`."""

    kept: list[Message]
    left_out: list[Message]
    tokens: int


def room_for_history(limit: int, *, fixed: int, max_tokens: int | None) -> int:
    """Tokens that are left for earlier turns: of what the model reads, less the answer and all that has to be told."""
    answer = MOST_ANSWER_TOKENS if max_tokens is None else max_tokens
    return max(0, limit - min(answer, limit // 4 if max_tokens is None else limit // 2) - fixed)


def cut_history(history: Sequence[Message], room: int, size: Callable[[Message], int], *, last_cut: str = "") -> Cut:
    """The newest whole exchanges (a question with all that was answered to it) of at most `room` tokens, by `size`.

    `last_cut`: the id of the first message that was kept the last time. As long as what follows it fits, it stays the
    first: a beginning that doesn't change is what providers' caches need. A new cut leaves a quarter of the room free.
    """
    exchanges = _exchanges(history)
    sizes: dict[int, int] = {}

    def size_of(number: int) -> int:
        if number not in sizes:
            sizes[number] = sum(map(size, exchanges[number]))
        return sizes[number]

    first = _first_within(len(exchanges), size_of, room)
    if first:
        before = next((number for number, told in enumerate(exchanges) if last_cut and told[0].id == last_cut), 0)
        first = before if before >= first else _first_within(len(exchanges), size_of, room * AFTER_A_CUT)
    kept = [message for exchange in exchanges[first:] for message in exchange]
    left_out = [message for exchange in exchanges[:first] for message in exchange]
    return Cut(kept=kept, left_out=left_out, tokens=sum(map(size_of, range(first, len(exchanges)))))


def _first_within(count: int, size_of: Callable[[int], int], room: float) -> int:
    """The first of the last ones that fit together, 0 when all do. Those before it aren't looked at: a chat may be
    far longer than what any model reads."""
    total = 0
    for number in range(count - 1, -1, -1):
        total += size_of(number)
        if total > room:
            return number + 1
    return 0


def _exchanges(history: Iterable[Message]) -> list[list[Message]]:
    exchanges: list[list[Message]] = []
    for message in history:
        if message.kind == "request" or not exchanges:
            exchanges.append([])
        exchanges[-1].append(message)
    return exchanges


def told_limit(words: str) -> int | None:
    """How many tokens a model reads, where its server's refusal says so."""
    plain = words.replace(",", "")
    found = next((match for pattern in _TOLD_LIMITS if (match := pattern.search(plain))), None)
    return int(found[1]) if found else None


def spec_tokens(specs: Iterable[Mapping[str, Any]]) -> int:
    """What offering tools costs."""
    return sum(map(value_tokens, specs))
