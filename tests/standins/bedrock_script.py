"""What the stand-in for Bedrock says: the events of an answer, for a request and the behaviour asked for. Pure."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.standins.bedrock_rules import KNOWN_SIGNATURES
from tests.standins.behaviour import Behaviour, parse

Event = tuple[str, dict[str, Any]]


def question_of(body: dict[str, Any]) -> str:
    """The last text that a user wrote."""
    texts = [
        block["text"]
        for message in body.get("messages", [])
        if message["role"] == "user"
        for block in _blocks(message["content"])
        if "text" in block
    ]
    return texts[-1] if texts else ""


def behaviour_of(body: dict[str, Any]) -> Behaviour:
    """What that text asks for; without any such words, an answer that says what was asked."""
    question = question_of(body)
    behaviour = parse(question)
    if behaviour != Behaviour():
        return behaviour
    shown = question if len(question) < 200 else question[:200] + "…"
    return Behaviour(say=f"I'm a stand-in for Bedrock, not a model. You wrote {len(question.split())} words: {shown}")


def answer(body: dict[str, Any], behaviour: Behaviour) -> Iterator[Event]:
    """The events of ConverseStream, in their order; each text delta is one word."""
    script = _Script(body, behaviour)
    yield "messageStart", {"role": "assistant"}
    yield from script.reasoning()
    yield from script.text()
    yield from script.tools()
    if not behaviour.silent:
        yield "messageStop", {"stopReason": script.stop_reason()}
        yield "metadata", {"usage": script.usage(), "metrics": {"latencyMs": 7}}


class _Script:
    def __init__(self, body: dict[str, Any], behaviour: Behaviour) -> None:
        self.body, self.behaviour = body, behaviour
        self.block = 0
        last = _blocks(body["messages"][-1]["content"])
        self.results = [block["toolResult"] for block in last if "toolResult" in block]
        self.calls = behaviour.tools if behaviour.insist or not self.results else ()
        self.limit = body.get("inferenceConfig", {}).get("maxTokens")

    def words(self) -> list[str]:
        if self.results and not self.behaviour.insist:
            results = ", ".join(map(_text_of_result, self.results))
            return Behaviour(say=f"The tools gave: {results}").words_to_say()
        if self.calls and not self.behaviour.say:
            return []
        return self.behaviour.words_to_say()

    def _next_block(self) -> dict[str, int]:
        self.block += 1
        return {"contentBlockIndex": self.block - 1}

    def reasoning(self) -> Iterator[Event]:
        if self.behaviour.reasoning and not self.results:
            block, thought = self._next_block(), self.behaviour.reasoning.replace("_", " ")
            for piece in re.findall(r"\S+\s*", thought):
                yield "contentBlockDelta", {**block, "delta": {"reasoningContent": {"text": piece}}}
            signature = base64.b64encode(hashlib.sha256(thought.encode()).digest()).decode()
            KNOWN_SIGNATURES.add(signature)
            yield "contentBlockDelta", {**block, "delta": {"reasoningContent": {"signature": signature}}}
            yield "contentBlockStop", block
        if self.behaviour.redacted:
            block = self._next_block()
            yield "contentBlockDelta", {**block, "delta": {"reasoningContent": {"redactedContent": b"\x00sealed\xff"}}}
            yield "contentBlockStop", block

    def text(self) -> Iterator[Event]:
        words = self.words()[: self.limit]
        if not words:
            return
        block = self._next_block()
        for word in words:
            yield "contentBlockDelta", {**block, "delta": {"text": word}}
        if self.behaviour.cite:
            yield "contentBlockDelta", {**block, "delta": {"citation": _citation(self.body)}}
        yield "contentBlockStop", block

    def tools(self) -> Iterator[Event]:
        turn = len(self.body["messages"])
        for number, (name, arguments) in enumerate(self.calls):
            block = self._next_block()
            start = {"toolUse": {"toolUseId": f"tooluse_{turn}_{number}", "name": name}}
            yield "contentBlockStart", {"start": start, **block}
            for begin in range(0, len(arguments), 5):
                piece = {"toolUse": {"input": arguments[begin : begin + 5]}}
                yield "contentBlockDelta", {**block, "delta": piece}
            yield "contentBlockStop", block

    def stop_reason(self) -> str:
        if self.behaviour.stop:
            return self.behaviour.stop
        if self.limit is not None and len(self.words()) > self.limit:
            return "max_tokens"
        return "tool_use" if self.calls else "end_turn"

    def usage(self) -> dict[str, int]:
        given, said = tokens_of(self.body), len(self.words()[: self.limit]) + 5 * len(self.calls)
        usage = {"inputTokens": given, "outputTokens": said, "totalTokens": given + said}
        if "cachePoint" in json.dumps(self.body):
            usage |= {"cacheReadInputTokens": 11, "cacheWriteInputTokens": 13}
            usage["totalTokens"] += 24
        return usage


def tokens_of(value: Any) -> int:
    """The words in all texts of a request: the stand-in's tokens."""
    if isinstance(value, dict):
        texts = sum(len(text.split()) for name, text in value.items() if name == "text" and isinstance(text, str))
        return texts + sum(tokens_of(inner) for inner in value.values())
    return sum(map(tokens_of, value)) if isinstance(value, list) else 0


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"text": content}] if isinstance(content, str) else list(content)


def _text_of_result(result: dict[str, Any]) -> str:
    return " ".join(part["text"] if "text" in part else json.dumps(part.get("json")) for part in result["content"])


def _citation(body: dict[str, Any]) -> dict[str, Any]:
    """A passage of the request's first document or search result."""
    blocks = [block for message in body["messages"] for block in _blocks(message["content"])]
    found = next((block for block in blocks if "searchResult" in block), None)
    if found:
        result = found["searchResult"]
        location = {"searchResultLocation": {"searchResultIndex": 0, "start": 0, "end": 1}}
        passage = result["content"][0]["text"]
        return {
            "title": result["title"],
            "source": result["source"],
            "sourceContent": [{"text": passage}],
            "location": location,
        }
    document = next((block["document"] for block in blocks if "document" in block), {"name": "nothing"})
    return {
        "title": document["name"],
        "sourceContent": [{"text": "The passage that was cited."}],
        "location": {"documentPage": {"documentIndex": 0, "start": 2, "end": 3}},
    }
