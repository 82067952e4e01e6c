"""From what a handler yields to the plain JSON that is stored and sent.

Owns the rules for events; those for any value are in handlers.values and given again here. Pure: no clock, no I/O,
no order of events. Numbering, splitting long content and the common fields are the runner's.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from functools import partial
from numbers import Integral
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from handlers.errors import EncodingError
from handlers.events import BUILT_IN_EVENTS, WIRE_NAME, BaseEvent, ContentEvent
from handlers.values import MAX_BYTES, MAX_DEPTH, canonical_json, clean_text, encode_value, is_text_like, type_name

__all__ = [
    "MAX_DEPTH",
    "MAX_EVENT_BYTES",
    "EncodedEvent",
    "EncodingError",
    "canonical_json",
    "clean_text",
    "encode_event",
    "encode_value",
]

MAX_EVENT_BYTES = MAX_BYTES

_SHORT = 4096  # characters: a dozen such texts are far below the limit, however they are escaped
_COMMON_FIELDS = frozenset({"type", "response_id", "sequence", "emit", "persist"})
_RESERVED_FIELDS = frozenset({"first_sequence"})  # the log adds it to an event that stands for several

Result = TypeVar("Result")
Converter = Callable[[Any, str], Any]


@dataclass(slots=True)
class EncodedEvent:
    """One event as plain JSON values. `fields` lacks what all events have (response_id, sequence, the flags)."""

    type: str
    fields: dict[str, Any]
    emit: bool = True
    persist: bool = True


def encode_event(event: BaseEvent) -> EncodedEvent:
    """An event's own fields as plain JSON, with its wire name and flags.

    A custom event's fields take any value that can be encoded. A built-in event's fields take their declared
    types, and what becomes one without loss: see `_CONVERTERS`. Raises EncodingError, whatever the event holds.
    """
    if type(event) is ContentEvent:  # nearly all events are: the same as below, without its cost
        text = getattr(event, "content", None)
        if type(text) is str and event.emit is event.persist is True:
            return EncodedEvent("content", {"content": clean_text(text)})
    return _guard("", lambda: _encode_event(event))


def _encode_event(event: BaseEvent) -> EncodedEvent:
    if not isinstance(event, BaseEvent):
        raise EncodingError("", f"a handler yields events, not {type_name(event)}")
    encoded = {}
    for name, convert in _plan_for(type(event)):
        encoded[name] = _guard(name, partial(_encode_field, event, name, convert))
    if type(event) is not ContentEvent:
        _check_size(encoded)
    return EncodedEvent(_type_of(event), encoded, _flag(event, "emit"), _flag(event, "persist"))


def _encode_field(event: BaseEvent, name: str, convert: Converter) -> Any:
    return convert(getattr(event, name), name)


def _guard(path: str, encode: Callable[[], Result]) -> Result:
    """The author's code runs wherever we look at a value (properties, iterators, model_dump): nothing it raises
    may pass for an error of ours, nor its text reach a user."""
    try:
        return encode()
    except EncodingError:
        raise
    except Exception as error:
        raise EncodingError(path, f"can't be read ({type(error).__name__})") from error


def _type_of(event: BaseEvent) -> str:
    name = event.type
    if not isinstance(name, str) or not WIRE_NAME.fullmatch(name):
        raise EncodingError("type", "isn't a wire name: a letter, then up to 63 letters, digits or _.:-")
    if name != type(event).type and any(name == built_in.type for built_in in BUILT_IN_EVENTS):
        raise EncodingError("type", f"is {name!r}, which belongs to a built-in event")
    return clean_text(name)


def _flag(event: BaseEvent, name: str) -> bool:
    value = getattr(event, name)
    if not isinstance(value, bool):
        raise EncodingError(name, f"must be True or False, not {type_name(value)}")
    return value


def _check_size(encoded: dict[str, Any]) -> None:
    """Raises EncodingError, naming the largest field, when the event is over 1 MiB."""
    if all(value is None or (type(value) is str and len(value) < _SHORT) for value in encoded.values()):
        return
    sizes = {name: len(canonical_json(value).encode()) for name, value in encoded.items()}
    if sum(sizes.values()) > MAX_EVENT_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise EncodingError(largest, f"is too large: the event is over {MAX_EVENT_BYTES // 1024} KiB")


# --- what each field of a class takes ---------------------------------------------------------------------


def _any(value: Any, name: str) -> Any:
    return encode_value(value, name)


def _text(value: Any, name: str) -> str:
    """Text; also what stands for it: text enums, UUIDs and paths, lazy translations, and numbers as ids."""
    if type(value) is str:
        return clean_text(value)
    if isinstance(value, Enum):
        return _text(value.value, name)
    if isinstance(value, str) or is_text_like(value):
        encoded: str = encode_value(value, name)
        return encoded
    if name.endswith("_id") and _is_integer(value):
        return str(operator.index(value))
    raise EncodingError(name, f"must be text, not {type_name(value)}")


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and value is not True and value is not False


def _opaque_text(value: Any, name: str) -> str:
    """Text, or bytes as base64."""
    return encode_value(value, name) if isinstance(value, bytes | bytearray) else _text(value, name)


def _whole_number(value: Any, name: str) -> int:
    """An integer; also 3.0 and "3"."""
    if _is_integer(value):
        encoded: int = encode_value(operator.index(value), name)
        return encoded
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    raise EncodingError(name, f"must be a whole number, not {type_name(value)}")


def _object(value: Any, name: str) -> dict[str, Any]:
    """An object; also dataclasses and pydantic models, and None as the empty one."""
    encoded = {} if value is None else encode_value(value, name)
    if not isinstance(encoded, dict):
        raise EncodingError(name, f"must be an object (a dict), not {type_name(value)}")
    return encoded


def _or_none(convert: Converter) -> Converter:
    return lambda value, name: None if value is None else convert(value, name)


_CONVERTERS: dict[Any, Converter] = {
    Any: _any,
    str: _text,
    str | None: _or_none(_text),
    str | bytes | None: _or_none(_opaque_text),
    int | None: _or_none(_whole_number),
    dict[str, Any]: _object,
}

_plans: WeakKeyDictionary[type[BaseEvent], tuple[tuple[str, Converter], ...]] = WeakKeyDictionary()


def _plan_for(event_class: type[BaseEvent]) -> tuple[tuple[str, Converter], ...]:
    """The class's own fields, each with what encodes it. Raises EncodingError for a name that is the log's."""
    plan = _plans.get(event_class)
    if plan is None:
        own = [field for field in fields(event_class) if field.name not in _COMMON_FIELDS]
        for field in own:
            if field.name in _RESERVED_FIELDS:
                raise EncodingError(field.name, "is a name that the log uses itself: rename the field")
        built_in = event_class in BUILT_IN_EVENTS
        plan = tuple((field.name, _CONVERTERS[field.type] if built_in else _any) for field in own)
        _plans[event_class] = plan
    return plan
