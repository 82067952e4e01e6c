"""The built-in model: no network, no key, and no pretence of being a language model.

It counts, outlines, quotes and echoes what it is given, so that a fresh installation shows the whole path, and tests
have a model that always says the same. The text work is in handlers.models.offline_text.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import replace

from handlers.models.attachments import parse_note
from handlers.models.continuing import GO_ON
from handlers.models.counting import counted
from handlers.models.history import parse_context_text
from handlers.models.offline_text import Source, describe_counts, outline_of, quotations, quoted, words_of
from handlers.models.seam import ContentBlock, ModelDescription, ModelEvent, ModelProvider, ModelRequest

MODEL_ID = "offline"
CONTEXT_TOKENS = 1_000_000  # far more than a request may have

WHO_I_AM = """\
I'm the **offline model**, built into Chat Workbench. I'm not a language model: I don't understand what you write, \
and I know nothing. I work on the words that I'm given, and always give the same answer to the same words.

What I can do, with a text after the word:

- `echo` gives your text back
- `count` counts its words, sentences, lines and characters
- `outline` lists its headings and points, or how each paragraph begins
- `quote` finds the sentences that share most words with your question, in what you attached as context and in what \
you said earlier in this chat

Anything else I count, outline and search like that. For real answers, an administrator connects a model provider: \
docs/handlers.md, “Model providers”, says how."""

NOTHING_BEFORE = "There is no answer that I could go on with."
NOTHING_MORE = "That was all."

_ABOUT_ITSELF = re.compile(
    r"(?i)\s*(help|hello|hi|hey)\W*$|.*\b(who|what)\s+(are|r)\s+(you|u)\b|.*\bwhat\s+can\s+you\s+do\b"
    r"|.*\b(which|what)\s+(language\s+)?model\b|.*\bare\s+you\s+(an?\s+)?(ai|llm|language model|human|bot)\b"
)
_COMMAND = re.compile(r"(?is)\s*(echo|count|outline|quote)\b[:,]?\s*(.*)")
_PIECE = re.compile(r"\s*\S+|\s+")
_QUESTION = 200  # characters; what is longer is a text that happens to hold such words
_LARGE = 20_000  # characters
_LONG = 40  # words from which an outline says more than the text itself


class OfflineProvider(ModelProvider):
    """Serves the one model `offline`. Usage counts words, since it has no tokens."""

    name = "offline"

    def models(self) -> list[ModelDescription]:
        return [
            ModelDescription(
                id=MODEL_ID,
                label="Offline (no language model)",
                provider=self.name,
                context_tokens=CONTEXT_TOKENS,
                tools=False,
            )
        ]

    @counted
    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer a word at a time; `max_tokens` limits its words, `temperature` means nothing to it."""
        size = sum(map(len, _all_texts(request)))
        # A megabyte takes half a second, which the other runs on this loop shall not wait for.
        pieces, given = _prepared(request) if size < _LARGE else await asyncio.to_thread(_prepared, request)
        shown = pieces if request.max_tokens is None else pieces[: request.max_tokens]
        yield {"messageStart": {"role": "assistant"}}
        for piece in shown:
            yield {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": piece}}}
        yield {"contentBlockStop": {"contentBlockIndex": 0}}
        yield {"messageStop": {"stopReason": "end_turn" if len(shown) == len(pieces) else "max_tokens"}}
        usage = {"inputTokens": given, "outputTokens": len(shown), "totalTokens": given + len(shown)}
        yield {"metadata": {"usage": usage}}  # type: ignore[typeddict-item]


def _prepared(request: ModelRequest) -> tuple[list[str], int]:
    """The answer's pieces, and how many words were given."""
    return _PIECE.findall(answer(request)), sum(len(words_of(text)) for text in _all_texts(request))


def answer(request: ModelRequest) -> str:
    """What the model says to a request, in Markdown."""
    texts = _texts(request.messages[-1]["content"])
    if texts == [GO_ON]:
        return _rest(request)
    given = [Source(*context) for context in map(parse_context_text, texts) if context]
    untold = [note for note in map(parse_note, texts) if note]
    question = "\n\n".join(text for text in texts if _is_the_users(text))
    sources = [*given, *_earlier(request)]
    command = _COMMAND.fullmatch(question)
    if command:
        return _obey(command[1].lower(), command[2], sources)
    if not question.strip() and not given:
        return _attached(untold) or "You sent no text that I could read."
    if len(question) < _QUESTION and _ABOUT_ITSELF.match(question):
        return WHO_I_AM
    observed = _observations(question, sources, request.system)
    return "\n\n".join([*observed, _attached(untold)] if untold else observed)


def _is_the_users(text: str) -> bool:
    return not parse_context_text(text) and not parse_note(text)


def _attached(untold: list[str]) -> str:
    return "You attached:\n\n" + "\n".join(f"- {note}" for note in untold) if untold else ""


def _rest(request: ModelRequest) -> str:
    """What is missing of the answer before the last turn: it is made again, which gives the same one."""
    if len(request.messages) < 3:  # a question, what was said of it, and the wish for the rest
        return NOTHING_BEFORE
    whole = answer(replace(request, messages=request.messages[:-2]))
    said = "".join(_texts(request.messages[-2]["content"]))
    return whole.removeprefix(said) if whole.startswith(said) and whole != said else NOTHING_MORE


def _obey(command: str, text: str, sources: list[Source]) -> str:
    if command == "quote":
        return _quotations(text, sources) or "I have no text that shares a word with your question."
    text = text or "\n\n".join(source.text for source in sources if source.title != _EARLIER)
    if not text:
        return f"Write a text after `{command}`, or attach one as context."
    if command == "echo":
        return text
    return describe_counts(text) if command == "count" else "\n".join(outline_of(text))


def _observations(question: str, sources: list[Source], system: list[ContentBlock]) -> list[str]:
    """What can be said of any text, each a paragraph."""
    said = ["I'm the offline model, not a language model (ask me what I can do)."]
    if question.strip():
        said[0] += f" You wrote {describe_counts(question)}:"
        said.append("\n".join(outline_of(question)) if len(words_of(question)) > _LONG else quoted(question))
    for source in sources:
        if source.title != _EARLIER:
            said.append(f"**{source.title}** has {describe_counts(source.text)}:")
            said.append("\n".join(outline_of(source.text)))
    found = _quotations(question, sources)
    if found:
        said.append("Sentences that share words with yours:")
        said.append(found)
    instructions = words_of(" ".join(_texts(system)))
    if instructions:
        said.append(f"I was also given {len(instructions):,} words of instructions, which I can't follow.")
    return said


def _quotations(question: str, sources: list[Source]) -> str:
    found = quotations(question, sources)
    return "\n\n".join(f"{quoted(sentence)}\n>\n> — {source.title}" for source, sentence in found)


_EARLIER = "you, earlier"


def _earlier(request: ModelRequest) -> list[Source]:
    """What the user said before in this chat."""
    turns = [message for message in request.messages[:-1] if message["role"] == "user"]
    texts = [text for message in turns for text in _texts(message["content"])]
    return [Source(_EARLIER, text) for text in texts if _is_the_users(text)]


def _texts(blocks: list[ContentBlock]) -> list[str]:
    return [block["text"] for block in blocks if isinstance(block.get("text"), str)]


def _all_texts(request: ModelRequest) -> list[str]:
    return _texts(request.system) + [text for message in request.messages for text in _texts(message["content"])]
