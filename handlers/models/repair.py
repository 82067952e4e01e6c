"""From any list of turns to one that a model's API takes.

Owns the rules that Bedrock, and most APIs like it, refuse a request over: turns alternate and begin with a user's; no
text is blank; every tool call is answered in the next turn, first of all there, and nothing else is; ids are unique
and of a certain form; reasoning is signed; documents have names of their own. A cancel, an error or a crash in the
middle of an answer leaves a history that breaks these, and the next question is to work all the same. Pure.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from handlers.models.seam import ContentBlock, ModelMessage

UNANSWERED = "This call was interrupted, and has no result."
EMPTY_RESULT = "(no output)"
SEE_DOCUMENT = "(see the attached document)"
NO_IMAGE = "(an image that isn't shown any more)"
MOST_DOCUMENTS = 5
MOST_IMAGES = 20

_OF_USERS = frozenset({"toolResult", "image", "document", "searchResult"})
_OF_MODELS = frozenset({"toolUse", "reasoningContent"})
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_.:-]")
_NOT_IN_TOOL_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_NOT_IN_DOCUMENT_NAMES = re.compile(r"[^a-zA-Z0-9()\[\]-]+")


def repaired(messages: Iterable[ModelMessage], *, tools: bool) -> list[ModelMessage]:
    """The turns as an API takes them; empty when nothing is left. The given ones aren't changed.

    Without `tools`, which is a request that offers none, calls and results are left out: APIs refuse them there.
    """
    turns = [_turn(message["role"], _kept(message, tools)) for message in messages]
    while True:
        alternating = _alternating(turns)
        answered = _answered(alternating)
        if answered == alternating:
            break
        turns = answered
    _trim_last(answered)
    return _with_named_documents(_with_few_images(answered))


def tool_name(name: str) -> str:
    """A tool's name in the form that APIs take."""
    return _NOT_IN_TOOL_NAMES.sub("_", name)[:64] or "tool"


def names_for_model(tools: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The name that an API takes to the tool's own, for each {"toolSpec": …}, in their order."""
    taken: set[str] = set()
    own = [str(tool["toolSpec"]["name"]) for tool in tools]
    return {unique(tool_name(name), taken, 64): name for name in own}


def unique(wanted: str, taken: set[str], longest: int) -> str:
    """`wanted`, or it with a number, so that it isn't among the taken; at most `longest` characters."""
    name, number = wanted[:longest], 1
    while name in taken:
        number += 1
        suffix = f"-{number}"
        name = wanted[: longest - len(suffix)] + suffix
    taken.add(name)
    return name


# --- blocks


def _turn(role: Any, content: list[ContentBlock]) -> ModelMessage:
    return {"role": role, "content": content}


def _kept(message: ModelMessage, tools: bool) -> list[ContentBlock]:
    misplaced = _OF_MODELS if message["role"] == "user" else _OF_USERS
    without = frozenset() if tools else frozenset({"toolUse", "toolResult"})
    return [
        _mended(block)
        for block in message["content"]
        if not (block.keys() & (misplaced | without)) and not _is_blank(block)
    ]


def _is_blank(block: ContentBlock) -> bool:
    if "text" in block:
        return not str(block["text"]).strip()
    if "reasoningContent" in block:
        return not _is_valid_reasoning(block["reasoningContent"])
    return not block


def _is_valid_reasoning(reasoning: dict[str, Any]) -> bool:
    text = reasoning.get("reasoningText") or {}
    return bool(reasoning.get("redactedContent") or (text.get("signature") and text.get("text")))


def _mended(block: ContentBlock) -> ContentBlock:
    if "toolUse" in block:
        call = block["toolUse"]
        arguments = call.get("input")
        arguments = arguments if isinstance(arguments, dict) else {"value": arguments}
        return {"toolUse": {**call, "name": tool_name(str(call.get("name", ""))), "input": arguments}}
    if "toolResult" in block:
        result = block["toolResult"]
        content = [part for part in map(_mended_result, result.get("content") or []) if part]
        return {"toolResult": {**result, "content": content or [{"text": EMPTY_RESULT}]}}
    return block


def _mended_result(part: dict[str, Any]) -> dict[str, Any] | None:
    if "text" in part:
        return part if str(part["text"]).strip() else None
    if "json" in part and not isinstance(part["json"], dict):
        return {"text": json.dumps(part["json"], ensure_ascii=False)}
    return part


# --- turns


def _alternating(turns: list[ModelMessage]) -> list[ModelMessage]:
    """Neighbours of one role joined, from the first user's turn on."""
    joined: list[ModelMessage] = []
    for turn in turns:
        if not turn["content"] or (not joined and turn["role"] != "user"):
            continue
        if joined and joined[-1]["role"] == turn["role"]:
            joined[-1]["content"].extend(turn["content"])
        else:
            joined.append(_turn(turn["role"], list(turn["content"])))
    return joined


def _answered(turns: list[ModelMessage]) -> list[ModelMessage]:
    """Each call with its result in the next turn, and no result without its call."""
    taken: set[str] = set()
    done: list[ModelMessage] = []
    calls: dict[str, str] = {}  # of the turn before: what each id was, and what it is now
    for turn in turns:
        if turn["role"] == "user":
            done.append(_turn("user", _results_first(turn["content"], calls)))
            calls = {}
        else:
            calls = {}
            done.append(_turn("assistant", _with_unique_calls(turn["content"], calls, taken)))
    if calls:
        done.append(_turn("user", _results_first([], calls)))
    return done


def _with_unique_calls(content: list[ContentBlock], calls: dict[str, str], taken: set[str]) -> list[ContentBlock]:
    kept = []
    for block in content:
        if "toolUse" not in block:
            kept.append(block)
            continue
        given = str(block["toolUse"].get("toolUseId", ""))
        if given in calls:
            continue  # the same call twice in one turn
        calls[given] = unique(_NOT_IN_IDS.sub("_", given) or "call", taken, 64)
        kept.append({"toolUse": {**block["toolUse"], "toolUseId": calls[given]}})
    return kept


def _results_first(content: list[ContentBlock], calls: dict[str, str]) -> list[ContentBlock]:
    given = {
        str(block["toolResult"].get("toolUseId", "")): block["toolResult"]
        for block in reversed(content)
        if "toolResult" in block
    }
    interrupted = {"content": [{"text": UNANSWERED}], "status": "error"}
    results = [{"toolResult": {**given.get(was, interrupted), "toolUseId": now}} for was, now in calls.items()]
    return [*results, *(block for block in content if "toolResult" not in block)]


def _trim_last(turns: list[ModelMessage]) -> None:
    """An answer that the model is to go on with can't end in white space."""
    if turns and turns[-1]["role"] == "assistant":
        last = turns[-1]["content"][-1]
        if "text" in last:
            turns[-1]["content"][-1] = {"text": str(last["text"]).rstrip()}


# --- images and documents


def _with_few_images(turns: list[ModelMessage]) -> list[ModelMessage]:
    """No more images than an API takes: the last ones."""
    excess = sum("image" in block for turn in turns for block in turn["content"]) - MOST_IMAGES
    if excess <= 0:
        return turns
    places = iter(range(excess))
    return [
        _turn(turn["role"], [_instead_of_image(block, lambda: next(places, None)) for block in turn["content"]])
        for turn in turns
    ]


def _instead_of_image(block: ContentBlock, next_excess: Callable[[], int | None]) -> ContentBlock:
    return {"text": NO_IMAGE} if "image" in block and next_excess() is not None else block


def _with_named_documents(turns: list[ModelMessage]) -> list[ModelMessage]:
    """Documents with unique names, beside a text, and no more of them than an API takes: the last ones."""
    names: set[str] = set()
    count = sum("document" in block for turn in turns for block in turn["content"])
    excess = iter(range(count - MOST_DOCUMENTS))
    return [_turn(turn["role"], _documents_of(turn["content"], names, lambda: next(excess, None))) for turn in turns]


def _documents_of(
    content: list[ContentBlock], names: set[str], next_excess: Callable[[], int | None]
) -> list[ContentBlock]:
    blocks = []
    for block in content:
        if "document" not in block:
            blocks.append(block)
        elif next_excess() is not None:
            blocks.append({"text": f"(the document “{block['document'].get('name', '')}” isn't shown any more)"})
        else:
            name = _NOT_IN_DOCUMENT_NAMES.sub(" ", str(block["document"].get("name", ""))).strip() or "document"
            blocks.append({"document": {**block["document"], "name": unique(name, names, 200).strip()}})
    if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
        blocks.append({"text": SEE_DOCUMENT})
    return blocks
