"""What the stand-in for Bedrock answers to InvokeModel: Anthropic's messages, and embeddings. Pure."""

import hashlib
import math
from collections.abc import Iterator
from typing import Any

from tests.standins.bedrock_rules import invalid
from tests.standins.behaviour import Behaviour


def answer(model_id: str, body: dict[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    """The response's body. Raises Refused for a body that isn't the model's."""
    if "titan-embed" in model_id:
        text = _required(body, "inputText")
        return {"embedding": embedding(text, body.get("dimensions", 1024)), "inputTextTokenCount": len(text.split())}
    if "cohere.embed" in model_id:
        texts = _required(body, "texts")
        return {"embeddings": [embedding(text, 1024) for text in texts], "response_type": "embeddings_floats"}
    _required(body, "anthropic_version")
    _required(body, "max_tokens")
    _required(body, "messages")
    text = "".join(behaviour.words_to_say())
    return {
        "id": "msg_standin",
        "type": "message",
        "role": "assistant",
        "model": model_id,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": len(text.split())},
    }


def chunks(answered: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same as a stream of Anthropic's events."""
    yield {"type": "message_start", "message": {**answered, "content": []}}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for word in answered["content"][0]["text"].split(" "):
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"{word} "}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": answered["stop_reason"]}, "usage": answered["usage"]}
    yield {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}}


def embedding(text: str, dimensions: int) -> list[float]:
    """A unit vector that is always the same for the same text; texts that share words are near one another."""
    vector = [0.0] * dimensions
    for word in text.lower().split() or [""]:
        for digest in (hashlib.blake2b(f"{word}{salt}".encode(), digest_size=8).digest() for salt in range(4)):
            vector[int.from_bytes(digest[:4], "big") % dimensions] += 1.0 if digest[4] & 1 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def _required(body: dict[str, Any], name: str) -> Any:
    if name not in body:
        raise invalid(f"Malformed input request: required key [{name}] not found, please reformat your input.")
    return body[name]
