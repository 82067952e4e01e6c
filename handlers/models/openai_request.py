"""From a model request to the body of chat/completions. Pure."""

import base64
import json
from typing import Any

from handlers.models.openai_models import traits_of
from handlers.models.repair import names_for_model, repaired
from handlers.models.seam import ContentBlock, ModelMessage, ModelRequest

MOST_STOP_SEQUENCES = 4  # of the API
READABLE = frozenset({"txt", "md", "csv", "html"})

_CHOICES = {"auto": "auto", "any": "required"}


class ChatRequest:
    """One request: `body`, and `tool_names`: what the model calls a tool, and what we do.

    `openai`: it is for OpenAI's own server, which wants the answer's length under another name. `body["messages"]` is
    without a user's turn when there is nothing to send; see `is_empty`.
    """

    def __init__(self, request: ModelRequest, *, openai: bool) -> None:
        self.tool_names = names_for_model(request.tools)
        conversation = repaired(request.messages, tools=bool(request.tools))
        turns = [message for turn in conversation for message in _messages(turn)]
        self.is_empty = not turns
        self.body: dict[str, Any] = {
            "model": request.model_id,
            "messages": [*_system(request.system), *turns],
            "stream": True,
            "stream_options": {"include_usage": True},
            **_limits(request, "max_completion_tokens" if openai else "max_tokens"),
            **(_effort(request) if openai else {}),
            **self._tools(request),
            **request.extra,
        }

    def _tools(self, request: ModelRequest) -> dict[str, Any]:
        if not request.tools:
            return {}
        tools = [_function(name, tool) for name, tool in zip(self.tool_names, request.tools, strict=True)]
        return {"tools": tools, **self._choice(request.tool_choice or {})}

    def _choice(self, choice: dict[str, Any]) -> dict[str, Any]:
        if "tool" in choice:
            ours = {own: theirs for theirs, own in self.tool_names.items()}
            wanted = choice["tool"]["name"]
            return {"tool_choice": {"type": "function", "function": {"name": ours.get(wanted, wanted)}}}
        kind = next((_CHOICES[kind] for kind in choice if kind in _CHOICES), None)
        return {"tool_choice": kind} if kind else {}


def _limits(request: ModelRequest, longest: str) -> dict[str, Any]:
    limits = {
        longest: request.max_tokens,
        "temperature": request.temperature if traits_of(request.model_id).takes_temperature else None,
        "stop": request.stop_sequences[:MOST_STOP_SEQUENCES] or None,
    }
    return {name: value for name, value in limits.items() if value is not None}


def _effort(request: ModelRequest) -> dict[str, Any]:
    """Only for OpenAI's own models: elsewhere the field may be refused."""
    least = traits_of(request.model_id).least_effort
    if request.reasoning is None or least is None:
        return {}
    return {"reasoning_effort": least if request.reasoning == "least" else request.reasoning}


def _function(name: str, tool: dict[str, Any]) -> dict[str, Any]:
    spec = tool["toolSpec"]
    function = {"name": name, "parameters": spec.get("inputSchema", {}).get("json") or {"type": "object"}}
    description = str(spec.get("description") or "").strip()
    return {"type": "function", "function": {**function, **({"description": description} if description else {})}}


def _system(blocks: list[ContentBlock]) -> list[dict[str, Any]]:
    text = "\n\n".join(block["text"] for block in blocks if str(block.get("text", "")).strip())
    return [{"role": "system", "content": text}] if text else []


# --- turns


def _messages(turn: ModelMessage) -> list[dict[str, Any]]:
    """A turn as the API's messages: a user's with tool results is several, the results first."""
    if turn["role"] == "assistant":
        return _answer(turn["content"])
    results = [_result(block["toolResult"]) for block in turn["content"] if "toolResult" in block]
    parts = [part for block in turn["content"] if (part := _part(block))]
    if not parts:
        return results
    return [*results, {"role": "user", "content": _plain(parts)}]


def _answer(content: list[ContentBlock]) -> list[dict[str, Any]]:
    text = "\n\n".join(block["text"] for block in content if "text" in block)
    calls = [_call(block["toolUse"]) for block in content if "toolUse" in block]
    if not text and not calls:
        return []
    return [{"role": "assistant", "content": text or None, **({"tool_calls": calls} if calls else {})}]


def _call(call: dict[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(call["input"], ensure_ascii=False)
    return {"id": call["toolUseId"], "type": "function", "function": {"name": call["name"], "arguments": arguments}}


def _result(result: dict[str, Any]) -> dict[str, Any]:
    texts = [
        part["text"] if "text" in part else json.dumps(part["json"], ensure_ascii=False)
        for part in result["content"]
        if "text" in part or "json" in part
    ]
    text = "\n\n".join(texts) or "(a result that can't be shown to this model)"
    return {"role": "tool", "tool_call_id": result["toolUseId"], "content": text}


def _plain(parts: list[dict[str, Any]]) -> Any:
    """Texts alone as one, which every server takes; parts are for those whose models see."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return parts


def _part(block: ContentBlock) -> dict[str, Any] | None:
    if "text" in block:
        return _text(block["text"])
    if "image" in block:
        return _image(block["image"])
    if "document" in block:
        return _text(_document(block["document"]))
    if "searchResult" in block:
        found = block["searchResult"]
        passages = "\n".join(part.get("text", "") for part in found.get("content") or [])
        return _text(f"{found.get('title', '')} ({found.get('source', '')})\n{passages}")
    return None


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _image(image: dict[str, Any]) -> dict[str, Any]:
    encoded = base64.b64encode(image["source"]["bytes"]).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/{image['format']};base64,{encoded}"}}


def _document(document: dict[str, Any]) -> str:
    name, source = document.get("name", ""), document.get("source", {})
    if source.get("text"):
        return f"{name}\n{source['text']}"
    if document.get("format") in READABLE and "bytes" in source:
        return f"{name}\n{source['bytes'].decode('utf-8', 'replace')}"
    return f"(The user attached “{name}”, which this model can't read.)"
