"""What servers of OpenAI's API refuse: the shapes of chat/completions, and the order of a conversation.

The strictest of several: OpenAI on tool calls and unknown fields, vLLM's chat templates on roles that alternate.
Independent of the product's history repair, which is tested against it. Pure.
"""

import re
from itertools import pairwise
from typing import Any

FIELDS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "stop",
        "tools", "tool_choice", "top_p", "seed", "reasoning_effort", "parallel_tool_calls", "response_format", "user",
    }
)  # fmt: skip
ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


class Refused(Exception):
    """The request is answered with an error: HTTP status, code, words, and further headers."""

    def __init__(self, status: int, code: str, words: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.code, self.words, self.headers = status, code, words, headers or {}


def invalid(words: str) -> Refused:
    return Refused(400, "invalid_value", words)


def check_request(body: dict[str, Any]) -> None:
    """Raises Refused as soon as something is wrong."""
    if unknown := body.keys() - FIELDS:
        raise Refused(400, "unknown_parameter", f"Unrecognized request arguments supplied: {', '.join(unknown)}")
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise invalid("[] is too short - 'messages'")
    if "stream_options" in body and not body.get("stream"):
        raise invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    if not 1 <= len(body.get("stop", ["x"])) <= 4:
        raise invalid("'stop' must have at most 4 items.")
    for tool in body.get("tools", ()):
        _check_tool(tool)
    for number, message in enumerate(body["messages"]):
        _check_message(number, message)
    _check_order(body["messages"])


def _check_tool(tool: dict[str, Any]) -> None:
    function = tool.get("function", {})
    if tool.get("type") != "function" or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(function.get("name"))):
        raise invalid("Invalid 'tools[0].function.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.")
    if function.get("parameters", {}).get("type") != "object":
        raise Refused(400, "invalid_function_parameters", "Invalid schema: it must be of type 'object'.")


def _check_message(number: int, message: dict[str, Any]) -> None:
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise invalid(f"Invalid value: messages[{number}].role.")
    if role == "assistant" and content is None and message.get("tool_calls"):
        pass
    elif isinstance(content, list) and role == "user":
        for part in content:
            _check_part(number, part)
    elif not isinstance(content, str) or not content.strip():
        raise invalid(f"Invalid value for 'content': expected a string with text, messages[{number}].")
    for call in message.get("tool_calls", ()):
        if not isinstance(call.get("function", {}).get("arguments"), str) or not call.get("id"):
            raise invalid(f"Invalid type for 'messages[{number}].tool_calls[0].function.arguments'.")


def _check_part(number: int, part: dict[str, Any]) -> None:
    url = str(part.get("image_url", {}).get("url", ""))
    if part.get("type") == "text" and str(part.get("text", "")).strip():
        return
    if part.get("type") != "image_url" or not re.match(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]", url):
        raise invalid(f"Invalid part in messages[{number}].content.")


def _check_order(messages: list[dict[str, Any]]) -> None:
    talk = [message for message in messages if message["role"] not in {"system", "developer"}]
    if not talk or talk[0]["role"] != "user":
        raise invalid("Conversation roles must alternate user/assistant/user/assistant/...")
    open_calls: set[str] = set()
    for message in talk:
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise invalid("messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            raise invalid(f"These tool_call_ids did not have response messages: {', '.join(sorted(open_calls))}")
        open_calls |= {call["id"] for call in message.get("tool_calls", ())}
    if open_calls:
        raise invalid(f"These tool_call_ids did not have response messages: {', '.join(sorted(open_calls))}")
    for before, after in pairwise(talk):
        if before["role"] == after["role"] != "tool":
            raise invalid("Conversation roles must alternate user/assistant/user/assistant/...")
