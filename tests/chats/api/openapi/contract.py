"""The document as a judge of answers: stricter than what it says to clients, so that nothing is left out of it."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

from chats.api.openapi.document import document

__all__ = ["JSON", "Described", "described", "judge", "operations", "problems_of", "schema_problems"]

API = "/api/v1"
JSON = "application/json"
Described = dict[str, Any]


def operations() -> Iterator[tuple[str, str, Described]]:
    """(method, path, operation) of everything that the document describes."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def judge(method: str, address: str, response: Any) -> None:
    """Fails where the answer of a door isn't as the document says. Streams, and what is no door, pass."""
    doors = [(verb, pattern) for verb, pattern, _ in operations()]
    if response.streaming or not any(verb == method and _is_at(pattern, address) for verb, pattern in doors):
        return
    media = response.get("Content-Type", "") if response.content else ""
    body = response.json() if media == JSON else None
    assert problems_of(described(method, address), response.status_code, media, body) == []


def described(method: str, address: str) -> Described:
    """The operation that a request is one of; of several that could be, the one whose path says the most."""
    found = [
        (len(re.sub(r"{\w+}", "", pattern)), operation)
        for verb, pattern, operation in operations()
        if verb == method and _is_at(pattern, address)
    ]
    return max(found, key=lambda pair: pair[0])[1]


def _is_at(pattern: str, address: str) -> bool:
    path = urlsplit(address).path.removeprefix(API)
    return re.fullmatch(re.sub(r"{\w+}", r"[\\s\\S]+", pattern), path) is not None


def problems_of(operation: Described, status: int, media: str, body: Any) -> list[str]:
    """What in an answer isn't as the operation says. `body` is the JSON value, or None for anything else."""
    answer = operation["responses"].get(str(status))
    if answer is None:
        return [f"{operation['operationId']} doesn't speak of {status}: {body}"]
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    contents = answer.get("content", {})
    if not contents:
        return [] if media == "" else [f"{operation['operationId']} says that {status} has no body"]
    kind = media.partition(";")[0]
    if kind not in contents and "*/*" not in contents:
        return [f"{operation['operationId']} doesn't speak of {kind} with {status}"]
    return schema_problems(contents[kind]["schema"], body) if kind == JSON and kind in contents else []


def schema_problems(schema: Described, value: Any) -> list[str]:
    """What in a JSON value isn't as the schema says; an unknown field too."""
    judge = Draft202012Validator(
        {**schema, "components": {"schemas": _closed_schemas()}}, format_checker=FormatChecker(["date-time", "uuid"])
    )
    return [f"{error.json_path}: {error.message[:300]}" for error in judge.iter_errors(value)]


@cache
def _closed_schemas() -> Described:
    schemas = json.loads(json.dumps(document()["components"]["schemas"]))
    for schema in schemas.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return schemas
