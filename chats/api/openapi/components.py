"""What operations share: the schemas, made by pydantic, the headers and the refusals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from chats.api.multipart import FIELD
from chats.api.openapi import shapes
from chats.api.openapi.events import EVENTS, event_schemas
from chats.api.openapi.operation import Answer, Operation
from chats.api.openapi.words import FIELDS

__all__ = ["HEADERS", "REFUSALS", "component_schemas"]

Schema = dict[str, Any]
REF = "#/components/schemas/{model}"


def _header(description: str, kind: str = "string") -> Schema:
    return {"description": description, "schema": {"type": kind}}


HEADERS: Schema = {
    "X-Response-Id": _header("The response's id."),
    "Location": _header("Where it is."),
    "ETag": _header("Of these bytes; send it as `If-None-Match`."),
    "Content-Disposition": _header("The file's name, and whether to show it."),
    "Retry-After": _header("Seconds after which to try again.", "integer"),
    "WWW-Authenticate": _header("`Bearer`."),
}

# Status → (name, the refusal). The codes are protocol.STATUS_OF's, and two of errors.py's.
REFUSALS: dict[int, tuple[str, Answer]] = {
    400: ("Invalid", Answer("`invalid`: a field, a parameter or the content type. `invalid_json`.", shapes.ErrorBody)),
    401: (
        "Unauthorized",
        Answer("`unauthorized`: log in, or send a valid token.", shapes.ErrorBody, headers=("WWW-Authenticate",)),
    ),
    403: ("Forbidden", Answer("`forbidden`: no such scope, no CSRF token, or not yours to change.", shapes.ErrorBody)),
    404: ("NotFound", Answer("`not_found`: not there, or not yours.", shapes.ErrorBody)),
    409: (
        "Conflict",
        Answer(
            "`conflict`: a `request_id` with another body, a name that is taken, a file in use. `busy`: another answer "
            "is being written in this place.",
            shapes.ErrorBody,
            headers=("Retry-After",),
        ),
    ),
    413: ("TooLarge", Answer("`too_large`: a body over 1 MiB, or a file over its limit.", shapes.ErrorBody)),
    415: ("UnsupportedType", Answer("`unsupported_type`: a file of a type that isn't taken.", shapes.ErrorBody)),
    429: (
        "RateLimited",
        Answer("`rate_limited`: too many at once, or no room left.", shapes.ErrorBody, headers=("Retry-After",)),
    ),
    500: ("Internal", Answer("`internal`: our fault; `message` has a number that is in the log.", shapes.ErrorBody)),
    503: (
        "Unavailable",
        Answer(
            "`handler_unavailable`: the handler can't run now. `unavailable`: the server is starting or stopping, or "
            "its database is away.",
            shapes.ErrorBody,
            headers=("Retry-After",),
        ),
    ),
}


class _Generator(GenerateJsonSchema):
    """Pydantic's, without titles that repeat names, and without defaults that aren't true.

    A field of an answer that has a default may be absent, and is nothing then; a body's null is not its absence
    (`parent_id`).
    """

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if self.mode == "serialization" or made.get("default", ...) is None:
            made.pop("default", None)
        return made


def component_schemas(described: Mapping[tuple[str, str], Operation]) -> Schema:
    """Name → schema of all that the operations take and give, lists and events among them."""
    operations = list(described.values())
    bodies = {operation.body for operation in operations if operation.body is not None}
    answers = {shape for operation in operations for shape in operation.shapes()} | {
        shapes.ErrorBody,
        shapes.Transcript,
    }
    listed = {answer.shape for operation in operations for answer in operation.answers.values() if answer.listed}
    schemas = _made(bodies, answers)
    schemas |= event_schemas(schemas)
    for (method, _), operation in described.items():
        if method == "PATCH" and operation.body is not None:
            _drop_defaults(schemas[operation.body.__name__])
    _add_words(schemas)
    schemas |= {f"{shape.__name__}List": _list_of(shape.__name__) for shape in listed if shape is not None}
    schemas["EventList"] = _list_of("Event")
    schemas["FileForm"] = _file_form()
    return dict(sorted(schemas.items()))


def _made(bodies: Iterable[type[Any]], answers: Iterable[type[Any]]) -> Schema:
    inputs: list[Any] = [(body, "validation", TypeAdapter(body)) for body in bodies]
    inputs += [(shape, "serialization", TypeAdapter(shape)) for shape in (*answers, *EVENTS)]
    refs, rest = TypeAdapter.json_schemas(inputs, ref_template=REF, schema_generator=_Generator)
    schemas: Schema = dict(rest.get("$defs", {}))
    for (kind, _), schema in refs.items():
        if "$ref" not in schema:
            schemas[kind.__name__] = schema
    for schema in schemas.values():
        schema.pop("title", None)
    return schemas


def _drop_defaults(schema: Schema) -> None:
    """What a change doesn't name stays as it is, whatever the model fills in."""
    for field in schema["properties"].values():
        field.pop("default", None)


def _add_words(schemas: Schema) -> None:
    for name, words in FIELDS.items():
        for field, said in words.items():
            schemas[name]["properties"][field]["description"] = said


def _list_of(name: str) -> Schema:
    link = {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]}
    return {
        "type": "object",
        "description": "A page of a list. Follow the links as they are; null where there is no such page.",
        "properties": {
            "results": {"type": "array", "items": {"$ref": REF.format(model=name)}},
            "next": dict(link),
            "previous": dict(link),
        },
        "required": ["results", "next", "previous"],
    }


def _file_form() -> Schema:
    file = {"type": "string", "contentMediaType": "application/octet-stream", "description": "One file, with its name."}
    return {"type": "object", "properties": {FIELD: file}, "required": [FIELD]}
