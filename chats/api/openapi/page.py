"""The document as a page: what the template chats/api/page.html shows of it, worked out.

Owns which words stand where; takes the document alone, so that the page can't say anything else. Text is handed over
as text: (text, whether it is code) for prose, (text, the schema it names) for types.
"""

from __future__ import annotations

import json
import re
import shlex
from functools import lru_cache
from typing import Any

from chats.api.openapi.components import REFUSALS
from chats.api.openapi.document import document
from chats.api.openapi.operation import JSON

__all__ = ["page_of_document", "prose", "type_words"]

Schema = dict[str, Any]
Words = list[tuple[str, bool]]
TypeWords = list[tuple[str, str]]

METHODS = ("get", "post", "put", "patch", "delete")
_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "{} or more characters",
    "maxLength": "up to {} characters",
    "default": "{} unless you say otherwise",
}


@lru_cache(maxsize=8)
def page_of_document(mounted_at: str) -> Schema:
    """The template's context. `mounted_at` is the script prefix that is active, by which pages are kept."""
    made = document()
    operations = [
        _operation(made, path, method, item)
        for path, item in made["paths"].items()
        for method in METHODS
        if method in item
    ]
    groups = [
        {"name": tag["name"], "words": prose(tag["description"]), "operations": found}
        for tag in made["tags"]
        if (found := [operation for operation in operations if operation["tag"] == tag["name"]])
    ]
    return {
        "version": made["info"]["version"],
        "about": [_block(text) for text in made["info"]["description"].strip().split("\n\n")],
        "groups": groups,
        "refusals": [(name, _refusal(name, answer)) for name, answer in made["components"]["responses"].items()],
        "schemas": [_schema(name, schema) for name, schema in made["components"]["schemas"].items()],
        "schemes": [
            (name, prose(scheme["description"])) for name, scheme in made["components"]["securitySchemes"].items()
        ],
    }


def prose(text: str) -> Words:
    """Text with `code` in it, in pieces."""
    pieces = re.split(r"`([^`]+)`", text)
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]


def _block(text: str) -> Schema:
    """A paragraph, or a list."""
    if not text.startswith("- "):
        return {"paragraph": prose(text)}
    return {"items": [prose(item) for item in re.split(r"^- ", text, flags=re.MULTILINE)[1:]]}


def _operation(made: Schema, path: str, method: str, item: Schema) -> Schema:
    operation = item[method]
    parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
    responses = operation["responses"]
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "method": method.upper(),
        "address": made["servers"][0]["url"] + path,
        "summary": operation["summary"],
        "words": prose(operation.get("description", "")),
        "scope": operation["security"][0]["token"][0],
        "parameters": [_parameter(parameter) for parameter in parameters],
        "body": _body(operation),
        "answers": [_answer(status, answer) for status, answer in responses.items() if "$ref" not in answer],
        "refusals": [(status, _name_in(answer)) for status, answer in responses.items() if "$ref" in answer],
        "command": _command(made, path, method, operation),
    }


def _parameter(parameter: Schema) -> Schema:
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "type": type_words(parameter["schema"]),
        "bounds": _bounds(parameter["schema"]),
        "required": parameter.get("required", False),
        "words": prose(parameter["description"]),
    }


def _body(operation: Schema) -> Schema | None:
    if "requestBody" not in operation:
        return None
    [(media, content)] = operation["requestBody"]["content"].items()
    return {"media": media, "type": type_words(content["schema"])}


def _refusal(name: str, answer: Schema) -> Schema:
    status = next(status for status, (called, _) in REFUSALS.items() if called == name)
    return _answer(str(status), answer)


def _answer(status: str, answer: Schema) -> Schema:
    contents = answer.get("content", {})
    return {
        "status": status,
        "words": prose(answer["description"]),
        "contents": [(media, type_words(content.get("schema", {}))) for media, content in contents.items()],
        "headers": list(answer.get("headers", {})),
    }


def _command(made: Schema, path: str, method: str, operation: Schema) -> str:
    """How curl asks for it."""
    address = f'"$HOST{made["servers"][0]["url"]}{path}"'
    content = operation.get("requestBody", {}).get("content", {})
    sent = f" --json {shlex.quote(json.dumps(content[JSON]['example']))}" if JSON in content else ""
    sent = sent or (" --form file=@q3.pdf" if content else "")
    usual = "post" if sent else "get"
    asked = "" if method == usual else f"--request {method.upper()} "
    return f'curl --header "Authorization: Bearer $TOKEN" {asked}{address}{sent}'


def _schema(name: str, schema: Schema) -> Schema:
    required = schema.get("required", [])
    fields = [
        {
            "name": field,
            "type": type_words(each),
            "bounds": _bounds(each),
            "required": field in required,
            "words": prose(each.get("description", "")),
        }
        for field, each in schema.get("properties", {}).items()
    ]
    choices = [_name_in(choice) for choice in schema.get("oneOf", [])]
    return {"name": name, "words": prose(schema.get("description", "")), "fields": fields, "choices": choices}


def type_words(schema: Schema) -> TypeWords:
    """What kind of value it is, in words: (text, name of the schema that it leads to, or "")."""
    if "$ref" in schema:
        return [(_name_in(schema), _name_in(schema))]
    if "anyOf" in schema:
        return _joined([type_words(choice) for choice in schema["anyOf"]], " or ")
    if "const" in schema or "enum" in schema:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        return _joined([[(json.dumps(value), "")] for value in values], ", ")
    if schema.get("type") == "array":
        return [("list of ", ""), *type_words(schema.get("items", {}))]
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return [("object with values of ", ""), *type_words(schema["additionalProperties"])]
    kind = schema.get("type", "any value")
    return [(f"{kind} ({schema['format']})" if "format" in schema else kind, "")]


def _joined(choices: list[TypeWords], between: str) -> TypeWords:
    joined: TypeWords = []
    for choice in choices:
        joined += [(between, ""), *choice] if joined else choice
    return joined


def _bounds(schema: Schema) -> str:
    """Lengths, ranges and defaults, of the first choice where there are several."""
    plain = next((choice for choice in schema.get("anyOf", []) if choice.keys() & _BOUNDS.keys()), {}) | schema
    found = {name: plain[name] for name in _BOUNDS if name in plain}
    return ", ".join(
        _BOUNDS[name].format(json.dumps(value) if name == "default" else value) for name, value in found.items()
    )


def _name_in(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
