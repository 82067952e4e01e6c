"""What Bedrock refuses: shapes by botocore's own service model, and the rules that stand in no model.

Independent of the product's history repair, which is tested against it. The rules and their words are those that
Bedrock has been seen to answer with. Pure, apart from reading botocore's data.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

Block = dict[str, Any]

MOST_DOCUMENTS = 5


class Refused(Exception):
    """The request is answered with an error: HTTP status, AWS's error code, its words."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code, self.words = status, code, words


def invalid(words: str) -> Refused:
    """The request itself is wrong."""
    return Refused(400, "ValidationException", words)


@cache
def service_model() -> Any:
    """botocore's model of Bedrock's runtime."""
    return botocore.session.get_session().get_service_model("bedrock-runtime")


# --- shapes


def check_request(operation: str, parameters: dict[str, Any]) -> None:
    """Raises Refused unless the parameters fit the operation's input shape."""
    problems = shape_problems(parameters, service_model().operation_model(operation).input_shape)
    if problems:
        raise invalid(f"{len(problems)} validation error detected: {'; '.join(problems)}")


def shape_problems(value: Any, shape: Any, path: str = "") -> list[str]:
    """What botocore itself finds wrong with a value, and patterns, enumerations and longest lengths besides."""
    report = ParamValidator().validate(value, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found or list(_constraints(value, shape, path))


def _constraints(value: Any, shape: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and not shape.is_document_type:
        for name, inner in value.items():
            yield from _constraints(inner, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for number, inner in enumerate(value):
            yield from _constraints(inner, shape.member, f"{path}.{number}")
    elif shape.type_name == "string":
        yield from _text_constraints(value, shape.metadata, path)
    elif shape.type_name in {"integer", "float"} and value > shape.metadata.get("max", float("inf")):
        yield f"Value at '{path}' must be less than or equal to {shape.metadata['max']}"


def _text_constraints(value: str, rules: dict[str, Any], path: str) -> Iterator[str]:
    if len(value) > rules.get("max", float("inf")):
        yield f"Value at '{path}' must have length less than or equal to {rules['max']}"
    if "enum" in rules and value not in rules["enum"]:
        yield f"Value '{value}' at '{path}' must satisfy enum value set: {rules['enum']}"
    if "pattern" in rules and not re.fullmatch(rules["pattern"], value):
        yield f"Value '{value}' at '{path}' must satisfy regular expression pattern: {rules['pattern']}"


# --- the rules of a conversation


def check_conversation(body: dict[str, Any]) -> None:
    """Raises Refused for messages that Bedrock doesn't take. `body` fits its shape."""
    messages = body.get("messages") or []
    if not messages:
        raise invalid("The messages field is empty. Add a message, and try again.")
    _check_turns(messages)
    for number, message in enumerate(messages):
        _check_blocks(message, f"messages.{number}")
    _check_tools(messages, body.get("toolConfig"))
    _check_documents(messages)
    for number, block in enumerate(body.get("system") or []):
        _check_text(block, f"system.{number}")


def _check_turns(messages: list[Block]) -> None:
    if messages[0]["role"] != "user":
        raise invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
    for earlier, later in pairwise(messages):
        if earlier["role"] == later["role"]:
            raise invalid(
                "A conversation must alternate between user and assistant roles. Make sure the conversation "
                "alternates between user and assistant roles and try again."
            )


def _check_blocks(message: Block, path: str) -> None:
    if not message["content"]:
        raise invalid(f"The content field in the Message object at {path} is empty. Add a ContentBlock object to it.")
    for number, block in enumerate(message["content"]):
        _check_block(block, message["role"], f"{path}.content.{number}")


def _check_block(block: Block, role: str, path: str) -> None:
    if len(block) != 1:
        raise invalid(f"The ContentBlock object at {path} must set exactly one key.")
    kind = next(iter(block))
    of_users = kind in {"toolResult", "image", "document"}
    of_models = kind in {"toolUse", "reasoningContent", "citationsContent"}
    if (of_users and role != "user") or (of_models and role != "assistant"):
        raise invalid(f"The {kind} block at {path} isn't allowed in a message of role {role}.")
    _check_text(block, path)
    if kind == "toolResult":
        _check_tool_result(block["toolResult"], path)
    if kind == "reasoningContent":
        _check_reasoning(block["reasoningContent"], path)


def _check_text(block: Block, path: str) -> None:
    if "text" in block and not block["text"].strip():
        raise invalid(f"The text field in the ContentBlock object at {path} is blank. Add text, and try again.")


def _check_tool_result(result: Block, path: str) -> None:
    if not result["content"] and result.get("status") == "error":
        raise invalid(f"The content field at {path}.toolResult cannot be empty when status value is error.")
    for number, part in enumerate(result["content"]):
        _check_text(part, f"{path}.toolResult.content.{number}")
        if "json" in part and not isinstance(part["json"], dict):
            raise invalid(f"The format of the value at {path}.toolResult.content.{number}.json is invalid.")


def _check_reasoning(content: Block, path: str) -> None:
    text = content.get("reasoningText")
    if text is not None and not text.get("signature"):
        raise invalid(f"{path}.thinking.signature: Field required")
    if text is not None and text["signature"] not in KNOWN_SIGNATURES:
        raise invalid(f"{path}: Invalid `signature` in `thinking` block")


#: Signatures that this process's stand-ins have given out.
KNOWN_SIGNATURES: set[str] = set()


def _check_tools(messages: list[Block], tool_config: Block | None) -> None:
    used = [
        block for message in messages for block in message["content"] if "toolUse" in block or "toolResult" in block
    ]
    if used and not tool_config:
        raise invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    seen: set[str] = set()
    for number, message in enumerate(messages):
        calls = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        if len(set(calls)) < len(calls) or seen & set(calls):
            raise invalid(f"messages.{number}.content: `tool_use` ids must be unique")
        seen.update(calls)
        following = messages[number + 1]["content"] if number + 1 < len(messages) else []
        if message["role"] == "assistant":
            _check_results(calls, following, number + 1)
    if _result_ids(messages[0]["content"]):
        raise invalid("The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks.")


def _check_results(calls: list[str], following: list[Block], number: int) -> None:
    results = _result_ids(following)
    if missing := [call for call in calls if call not in results]:
        raise invalid(f"Expected toolResult blocks at messages.{number}.content for the following Ids: {missing}")
    if len(results) != len(calls) or set(results) != set(calls):
        raise invalid(
            f"The number of toolResult blocks at messages.{number}.content exceeds the number of toolUse blocks of "
            "previous turn."
        )
    kinds = ["toolResult" in block for block in following]
    if calls and kinds != sorted(kinds, reverse=True):
        raise invalid(f"messages.{number}: `tool_result` blocks must come first in the content")


def _result_ids(content: list[Block]) -> list[str]:
    return [block["toolResult"]["toolUseId"] for block in content if "toolResult" in block]


def _check_documents(messages: list[Block]) -> None:
    names = []
    for number, message in enumerate(messages):
        documents = [block["document"]["name"] for block in message["content"] if "document" in block]
        if documents and not any("text" in block for block in message["content"]):
            raise invalid(f"A text block is required with a document, at messages.{number}.content.")
        names += documents
    if len(names) > MOST_DOCUMENTS:
        raise invalid(f"You provided {len(names)} documents; the most is {MOST_DOCUMENTS}.")
    if len(set(names)) < len(names):
        raise invalid("The names of documents must be unique.")
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9()\[\]-]+(?: [A-Za-z0-9()\[\]-]+)*", name):
            raise invalid(
                f"The document file name {name!r} can only contain alphanumeric characters, single spaces, "
                "hyphens, parentheses, and square brackets."
            )
