"""What the stand-in for an OpenAI-compatible server says: the chunks of an answer. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.standins.behaviour import Behaviour, parse

Chunk = dict[str, Any]


def text_of(message: dict[str, Any]) -> str:
    """All texts of a message, a paragraph each."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n\n".join(part.get("text", "") for part in content)


def tokens_of(body: dict[str, Any]) -> int:
    """The words of a request: the stand-in's tokens."""
    return sum(len(text_of(message).split()) for message in body["messages"])


def behaviour_of(body: dict[str, Any]) -> Behaviour:
    """What the last paragraph of a user's last turn asks for (two questions in a row come as one text); without any
    such words, an answer that says what was asked."""
    texts = [text_of(message) for message in body["messages"] if message["role"] == "user"]
    question = texts[-1].rpartition("\n\n")[2] if texts else ""
    behaviour = parse(question)
    if behaviour != Behaviour():
        return behaviour
    shown = question if len(question) < 200 else question[:200] + "…"
    return Behaviour(say=f"I'm a stand-in for a server, not a model. You wrote {len(question.split())} words: {shown}")


def answer(body: dict[str, Any], behaviour: Behaviour, reasoning_field: str) -> Iterator[Chunk]:
    """The chunks in their order; each text delta is one word. The last one, of the usage, has no choices."""
    script = _Script(body, behaviour)
    yield _chunk(body, {"role": "assistant", "content": ""})
    for thought in script.thoughts():
        yield _chunk(body, {reasoning_field: thought})
    for word in script.said():
        yield _chunk(body, {"content": word})
    for piece in script.tool_pieces():
        yield _chunk(body, {"tool_calls": [piece]})
    if behaviour.silent:
        return
    yield _chunk(body, {}, script.finish_reason())
    if not body.get("stream") or body.get("stream_options", {}).get("include_usage"):
        yield {**_chunk(body, {}), "choices": [], "usage": script.usage()}


def _chunk(body: dict[str, Any], delta: dict[str, Any], finish_reason: str | None = None) -> Chunk:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": body["model"],
        "choices": [choice],
        "usage": None,
    }


class _Script:
    def __init__(self, body: dict[str, Any], behaviour: Behaviour) -> None:
        self.body, self.behaviour = body, behaviour
        messages = body["messages"]
        last = max((number for number, message in enumerate(messages) if message["role"] == "assistant"), default=-1)
        self.results = [text_of(message) for message in messages[last + 1 :] if message["role"] == "tool"]
        self.calls = behaviour.tools if behaviour.insist or not self.results else ()
        self.limit = body.get("max_completion_tokens", body.get("max_tokens"))

    def words(self) -> list[str]:
        if self.results and not self.behaviour.insist:
            return Behaviour(say=f"The tools gave: {', '.join(self.results)}").words_to_say()
        return [] if self.calls and not self.behaviour.say else self.behaviour.words_to_say()

    def said(self) -> list[str]:
        return self.words()[: self.limit]

    def thoughts(self) -> list[str]:
        thought = self.behaviour.reasoning.replace("_", " ")
        return [] if self.results else re.findall(r"\S+\s*", thought)

    def tool_pieces(self) -> Iterator[dict[str, Any]]:
        """Each call's id and name, then its arguments in pieces that carry the index alone."""
        turn = len(self.body["messages"])
        for index, (name, arguments) in enumerate(self.calls):
            function = {"name": name, "arguments": ""}
            yield {"index": index, "id": f"call_{turn}_{index}", "type": "function", "function": function}
            for begin in range(0, len(arguments), 5):
                yield {"index": index, "function": {"arguments": arguments[begin : begin + 5]}}

    def finish_reason(self) -> str:
        if self.behaviour.stop:
            return self.behaviour.stop
        if len(self.said()) < len(self.words()):
            return "length"
        return "tool_calls" if self.calls else "stop"

    def usage(self) -> dict[str, Any]:
        given, said = tokens_of(self.body), len(self.said()) + 5 * len(self.calls)
        return {"prompt_tokens": given, "completion_tokens": said, "total_tokens": given + said}


def whole(chunks: Iterator[Chunk]) -> dict[str, Any]:
    """The answer to a request that doesn't stream: the chunks put together."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    calls: dict[int, dict[str, Any]] = {}
    found: dict[str, Any] = {}
    for chunk in chunks:
        found = {**chunk, "object": "chat.completion", "usage": chunk["usage"]}
        for choice in chunk["choices"]:
            delta = choice["delta"]
            message["content"] += delta.get("content") or ""
            for piece in delta.get("tool_calls", ()):
                call = calls.setdefault(piece["index"], json.loads(json.dumps(piece)))
                call["function"]["arguments"] += piece["function"]["arguments"]
            reason = choice["finish_reason"]
    if calls:
        message["tool_calls"] = list(calls.values())
    return {**found, "choices": [{"index": 0, "message": message, "finish_reason": reason}]}
