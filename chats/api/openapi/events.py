"""The schemas of events as the HTTP doors send them, made from the classes that handlers yield."""

from __future__ import annotations

from typing import Any

from handlers.events import BUILT_IN_EVENTS, WIRE_NAME, BaseEvent, ErrorEvent

__all__ = ["EVENTS", "event_schemas"]

Schema = dict[str, Any]

EVENTS: tuple[type[BaseEvent], ...] = BUILT_IN_EVENTS

_ENVELOPE: dict[str, Schema] = {
    "response_id": {"type": "string", "format": "uuid"},
    "sequence": {
        "anyOf": [{"type": "integer"}, {"type": "null"}],
        "description": "Its number in the response's log; null for one that isn't in it, and is shown once.",
    },
}
_SOMETIMES: dict[str, Schema] = {
    "timestamp": {"type": "string", "format": "date-time", "description": "When it was stored; in lists only."},
    "first_sequence": {"type": "integer", "description": "Where it stands for several events: the first one's number."},
}
# What no client is sent: how an event travels, and what of an error is the audit's.
_NEVER_SENT = {"emit", "persist"}
_AUDITED: dict[type[BaseEvent], set[str]] = {ErrorEvent: {"details"}}


def event_schemas(made: dict[str, Schema]) -> dict[str, Schema]:
    """Name → schema of every event and of `Event`, any of them; `made` are the classes' own schemas, by name."""
    schemas = {cls.__name__: _sent(cls, made[cls.__name__]) for cls in EVENTS}
    return {**schemas, "CustomEvent": _custom(), "Event": _any_of([*schemas, "CustomEvent"])}


def _sent(cls: type[BaseEvent], made: Schema) -> Schema:
    hidden = _NEVER_SENT | _AUDITED.get(cls, set()) | _ENVELOPE.keys()
    own = {name: _as_text(schema) for name, schema in made["properties"].items() if name not in hidden}
    return {
        "type": "object",
        "description": made["description"],
        "properties": {"type": {"const": cls.type}, **_ENVELOPE, **own, **_SOMETIMES},
        "required": ["type", *_ENVELOPE, *own],
    }


def _as_text(schema: Schema) -> Schema:
    """Bytes are base64 text on the wire."""
    if "anyOf" not in schema:
        return schema
    return {**schema, "anyOf": [choice for choice in schema["anyOf"] if choice.get("format") != "binary"]}


def _custom() -> Schema:
    known = [cls.type for cls in EVENTS]
    name = {"type": "string", "pattern": f"^{WIRE_NAME.pattern}$", "not": {"enum": known}}
    return {
        "type": "object",
        "description": "An event of a handler's own, with its own fields; a `timestamp` may be one of them.",
        "properties": {"type": name, **_ENVELOPE},
        "required": ["type", *_ENVELOPE],
        "additionalProperties": True,
    }


def _any_of(names: list[str]) -> Schema:
    choices = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    return {"description": "One of a response's events; `type` says which.", "oneOf": choices}
