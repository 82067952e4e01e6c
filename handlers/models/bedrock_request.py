"""From a model request to the parameters of ConverseStream. Pure."""

import re
from typing import Any

from handlers.models.bedrock_models import Traits
from handlers.models.repair import names_for_model, repaired
from handlers.models.seam import ContentBlock, ModelMessage, ModelRequest

CACHE_POINT: ContentBlock = {"cachePoint": {"type": "default"}}
CITABLE = frozenset({"pdf", "txt", "md"})
MOST_METADATA = 16
THINKING_TOKENS = {"low": 1_024, "medium": 4_096, "high": 16_384}  # the least that is taken, and more

_NOT_IN_METADATA = re.compile(r"[^a-zA-Z0-9\s:_@$#=/+,.-]")


class ConverseRequest:
    """One request: `parameters` for boto3, and `tool_names`: what the model calls a tool, and what we do."""

    def __init__(self, request: ModelRequest, traits: Traits) -> None:
        self._caches = traits.caches if request.cache else frozenset()
        self.tool_names = names_for_model(request.tools)
        messages = repaired(request.messages, tools=bool(request.tools))
        thinking = _thinking(request) if traits.thinks else {}
        parameters: dict[str, Any] = {
            "modelId": request.model_id,
            "messages": self._cached_messages(_citable(messages) if traits.cites else messages),
            "system": self._cached("system", _texts(request.system)),
            "inferenceConfig": _inference(request, thinks=bool(thinking)),
            "toolConfig": self._tool_config(request),
            "additionalModelRequestFields": {**thinking, **request.extra},
            "requestMetadata": _metadata(request.metadata),
        }
        self.parameters = {name: value for name, value in parameters.items() if value}

    def _cached(self, place: str, blocks: list[ContentBlock]) -> list[ContentBlock]:
        return [*blocks, CACHE_POINT] if blocks and place in self._caches else blocks

    def _cached_messages(self, messages: list[ModelMessage]) -> list[ModelMessage]:
        """With a cache point at the end of a conversation: the next turn then reads all before it from the cache.
        A first question isn't worth the price of writing one."""
        if len(messages) < 3:
            return messages
        last = messages[-1]
        return [*messages[:-1], {"role": last["role"], "content": self._cached("messages", last["content"])}]

    def _tool_config(self, request: ModelRequest) -> dict[str, Any] | None:
        if not request.tools:
            return None
        specs = [_spec(name, tool) for name, tool in zip(self.tool_names, request.tools, strict=True)]
        config: dict[str, Any] = {"tools": self._cached("tools", specs)}
        if request.tool_choice:
            config["toolChoice"] = self._choice(request.tool_choice)
        return config

    def _choice(self, choice: dict[str, Any]) -> dict[str, Any]:
        if "tool" not in choice:
            return choice
        ours = {own: theirs for theirs, own in self.tool_names.items()}
        wanted = choice["tool"]["name"]
        return {"tool": {"name": ours.get(wanted, wanted)}}


def _spec(name: str, tool: dict[str, Any]) -> dict[str, Any]:
    spec = {**tool["toolSpec"], "name": name}
    if not str(spec.get("description") or "").strip():
        spec.pop("description", None)
    return {"toolSpec": spec}


def _texts(blocks: list[ContentBlock]) -> list[ContentBlock]:
    return [block for block in blocks if str(block.get("text", "-")).strip()]


def _thinking(request: ModelRequest) -> dict[str, Any]:
    """A budget within the answer's longest; none where that leaves no room, or a tool must be called."""
    budget = THINKING_TOKENS.get(request.reasoning or "", 0)
    room = budget + 1 if request.max_tokens is None else request.max_tokens
    budget = min(budget, room - 1)
    if budget < THINKING_TOKENS["low"] or (request.tool_choice or {}).keys() & {"any", "tool"}:
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _inference(request: ModelRequest, *, thinks: bool) -> dict[str, Any]:
    """A model that thinks takes no temperature."""
    warm = request.temperature is not None and not thinks
    config: dict[str, Any] = {
        "maxTokens": request.max_tokens,
        "temperature": min(request.temperature or 0.0, 1.0) if warm else None,
        "stopSequences": request.stop_sequences or None,
    }
    return {name: value for name, value in config.items() if value is not None}


def _metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Shown in AWS's own log of invocations. What doesn't fit its rules is cut, or left out."""
    cleaned = {
        _NOT_IN_METADATA.sub("_", name)[:256]: _NOT_IN_METADATA.sub("_", str(value))[:256]
        for name, value in list(metadata.items())[:MOST_METADATA]
    }
    return {name: value for name, value in cleaned.items() if name}


def _citable(messages: list[ModelMessage]) -> list[ModelMessage]:
    """With citations asked for; of all documents, since some and not others is refused."""
    documents = [block["document"] for message in messages for block in message["content"] if "document" in block]
    if not documents or any(document.get("format") not in CITABLE for document in documents):
        return messages
    return [
        {"role": message["role"], "content": [_with_citations(block) for block in message["content"]]}
        for message in messages
    ]


def _with_citations(block: ContentBlock) -> ContentBlock:
    if "document" not in block:
        return block
    return {"document": {"citations": {"enabled": True}, **block["document"]}}
