"""Any value as plain JSON, or an error that says where and why it can't be.

Owns the rules for values, whatever they are part of; handlers.encoding has those for events. Pure: no clock, no
I/O.
"""

import base64
import json
import math
import operator
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from numbers import Integral, Rational, Real
from typing import Any, TypeVar

from pydantic import BaseModel

from handlers.errors import EncodingError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64

_MAX_INTEGER_BITS = 4096  # far below where other parsers, Python's own among them, refuse a number
_STEP_LENGTH = 60  # of a key shown in an error's path

_SURROGATE = re.compile("[\ud800-\udfff]")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)

_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))

Encoded = TypeVar("Encoded")


def canonical_json(value: Any) -> str:
    """The JSON text of a value that `encode_value` gave: no spaces, keys in their order, only escapes that JSON
    demands. It is stored, sent and hashed as it stands."""
    return _json.encode(value)


def clean_text(text: str) -> str:
    """`text` as every database and client takes it: NUL and lone surrogates become U+FFFD.

    Two surrogates that make a pair become the character that they mean.
    """
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def encode_value(value: Any, path: str = "", *, max_bytes: int = MAX_BYTES) -> Any:
    """Any value as plain JSON: dict with text keys, list, str, int, finite float, bool or None.

    bytes -> base64; dates and times -> ISO 8601; sets -> sorted lists; Decimal, UUID, fractions and paths -> text;
    enums -> their values; dataclasses, pydantic models and mappings -> objects; other sequences -> lists.
    Raises EncodingError, whatever the value does; its `field` is `path` followed by the way to the culprit.
    `max_bytes` bounds the work; what passes may still take a few times as much as JSON.
    """
    return _Encoder(path, max_bytes).encode(value)


def type_name(value: Any) -> str:
    """A value's type as an author would write it, short enough for a message."""
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return clean_text(name[:200])


def is_text_like(value: Any) -> bool:
    """Whether a value is no `str` and yet stands for text: a UUID, a path, a lazy translation of Django's."""
    kind = type(value)
    lazy = kind.__name__ == "__proxy__" and kind.__module__ == "django.utils.functional"
    return lazy or isinstance(value, uuid.UUID) or hasattr(kind, "__fspath__")


class _Encoder:
    """Encodes one value. Holds where it is (for the error's path), what it is inside of (for cycles) and how much
    room is left (a few lists that share each other can stand for terabytes)."""

    def __init__(self, path: str, max_bytes: int) -> None:
        self._root = path
        self._steps: list[Any] = []
        self._open: set[int] = set()
        self._room = max_bytes

    def encode(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return self._text(value)
        if value is None or kind is bool:
            return self._paid(value)
        if kind is int or kind is float:
            return self._number(value)
        try:
            return self._encode_other(value)
        except EncodingError:
            raise
        except Exception as error:
            raise self._error(f"can't be read ({type(error).__name__})") from error

    def _encode_other(self, value: Any) -> Any:
        if isinstance(value, Enum):
            return self._container(value)
        for kinds, convert in _SCALARS:
            if isinstance(value, kinds):
                return self.encode(convert(value))
        if isinstance(value, Mapping | Sequence | AbstractSet | ValuesView | BaseModel) or _is_dataclass(value):
            return self._container(value)
        if is_text_like(value):
            return self._text(_meant_text(value))
        raise self._error(f"has a type that can't be stored: {type_name(value)}")

    def _container(self, value: Any) -> Any:
        if id(value) in self._open:
            raise self._error("contains itself")
        if len(self._open) >= MAX_DEPTH:
            raise self._error(f"is nested more than {MAX_DEPTH} deep")
        self._open.add(id(value))
        encoded = self._content(value)
        self._open.discard(id(value))
        return self._paid(encoded)

    def _content(self, value: Any) -> Any:
        if isinstance(value, Enum):
            return self.encode(value.value)
        if isinstance(value, BaseModel):
            return self.encode(value.model_dump())
        if isinstance(value, Mapping):
            return self._object(value.items())
        if isinstance(value, AbstractSet):
            return _in_order(self._list(value))
        if _is_dataclass(value):
            return self._object((field.name, getattr(value, field.name)) for field in fields(value))
        return self._list(value)

    def _object(self, items: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
        encoded: dict[str, Any] = {}
        for key, item in items:
            name = key if type(key) is str and key.isascii() and "\0" not in key else self._key(key)
            if name in encoded:
                raise self._error(f"has two keys that both become {name[:_STEP_LENGTH]!r}")
            self._room -= len(name)
            self._steps.append(name)
            encoded[name] = self.encode(item)
            self._steps.pop()
        return encoded

    def _list(self, items: Iterable[Any]) -> list[Any]:
        encoded = []
        for index, item in enumerate(items):
            self._steps.append(index)
            encoded.append(self.encode(item))
            self._steps.pop()
        return encoded

    def _key(self, key: Any) -> str:
        """Names of an object are text: scalars become theirs as JSON writes them (1 -> "1", None -> "null")."""
        if not isinstance(key, tuple | frozenset):
            encoded = self.encode(key)
            if isinstance(encoded, str):
                return encoded
            if not isinstance(encoded, dict | list):
                return canonical_json(encoded)
        raise self._error(f"has a key of type {type_name(key)}: keys must be text")

    def _text(self, text: str) -> str:
        self._room -= len(text)
        return self._paid(clean_text(text))

    def _number(self, value: Any) -> Any:
        if isinstance(value, int):
            bits = value.bit_length()
            if bits > _MAX_INTEGER_BITS:
                raise self._error("is a whole number of more than 1,200 digits")
            self._room -= bits // 4
        elif not math.isfinite(value):
            raise self._error(f"is {value}, which JSON can't hold")
        return self._paid(value)

    def _paid(self, encoded: Encoded) -> Encoded:
        self._room -= 1
        if self._room < 0:
            raise self._error("is too large")
        return encoded

    def _error(self, reason: str) -> EncodingError:
        return EncodingError("".join([self._root, *map(_step, self._steps)]).removeprefix("."), reason)


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    shown = step[:_STEP_LENGTH]
    return f".{shown}" if _IDENTIFIER.fullmatch(shown) else f"[{shown!r}]"


def _is_dataclass(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _meant_text(value: Any) -> str:
    path = getattr(type(value), "__fspath__", None)
    return str.__str__(path(value) if path else str(value))  # raises TypeError for a path of bytes


def _in_order(items: list[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=canonical_json)


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode("ascii")


def _duration(value: timedelta) -> str:
    """ISO 8601: `P1DT2H3M4.5S`, always with all four units, as Django and pydantic read it."""
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}DT{hours}H{minutes}M{seconds}{fraction}S"


# What becomes one text or number, in the order in which it is asked. A conversion never gives a value of the kind
# that it took, except exactly `str`, `int` or `float`.
_SCALARS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int.__index__),
    (float, float.__float__),
    (bytes | bytearray | memoryview, _base64),
    (datetime | date | time, lambda value: value.isoformat()),
    (timedelta, _duration),
    (Decimal, lambda value: str(value) if value.is_finite() else float(value)),
    (uuid.UUID, str),
    (Integral, operator.index),
    (Rational, str),
    (Real, float),
)
