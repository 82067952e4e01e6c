"""Any value becomes strict JSON, or an error that says where and why not."""

import json
import math
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, make_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel

from handlers.errors import EncodingError
from handlers.values import MAX_DEPTH, canonical_json, clean_text, encode_value

safe_text = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | safe_text,
    lambda inner: st.lists(inner) | st.dictionaries(safe_text, inner),
    max_leaves=30,
)


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Mood(StrEnum):
    GOOD = "good"


@dataclass
class Point:
    x: int
    label: str = "p"


class Model(BaseModel):
    price: Decimal = Decimal("1.50")
    raw: bytes = b"\xff"
    inner: "Model | None" = None


class Pair(NamedTuple):
    left: int
    right: int


@given(json_values)
def test_json_values_are_themselves(value: Any) -> None:
    assert json.loads(canonical_json(encode_value(value))) == value


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (b"\x00\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        (memoryview(b"a"), "YQ=="),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T03:04:00+02:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4, 5), "03:04:05"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=500), "P1DT2H3M4.5S"),
        (timedelta(seconds=-90), "-P0DT0H1M30S"),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({"b", 1}, ["b", 1]),
        (Decimal("1.10"), "1.10"),
        (Fraction(1, 3), "1/3"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (Level.LOW, 1),
        (Mood.GOOD, "good"),
        (PurePosixPath("a/b"), "a/b"),
        (Point(1), {"x": 1, "label": "p"}),
        (Model(), {"price": "1.50", "raw": "/w==", "inner": None}),
        (Model(inner=Model()).inner, {"price": "1.50", "raw": "/w==", "inner": None}),
        (RootModel[list[int]]([1]), [1]),
        (Pair(1, 2), [1, 2]),
        (deque([1]), [1]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (gettext_lazy("Save"), "Save"),
        (2**60 + 1, 2**60 + 1),
        (-0.0, -0.0),
        ((1, (2,)), [1, [2]]),
    ],
)
def test_what_a_value_becomes(value: Any, encoded: Any) -> None:
    assert encode_value(value) == encoded


def test_a_pydantic_model_may_hold_another() -> None:
    assert encode_value(Model(inner=Model()))["inner"]["price"] == "1.50"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (1, "1"),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        (Colour.RED, "red"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 1, 2), "2026-01-02"),
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
    ],
)
def test_what_a_key_becomes(key: Any, name: str) -> None:
    assert encode_value({key: "v"}) == {name: "v"}


def test_two_keys_that_become_one_are_refused() -> None:
    with pytest.raises(EncodingError, match=r"^counts: has two keys that both become '1'$"):
        encode_value({1: "a", "1": "b"}, "counts")


def test_a_key_that_is_no_scalar_is_refused() -> None:
    with pytest.raises(EncodingError, match="key of type tuple"):
        encode_value({(1, 2): "a"})


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("a\0b", "a\ufffdb"),
        ("é\0", "é\ufffd"),
        ("\ud800", "\ufffd"),
        ("a\udfffb", "a\ufffdb"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("😀", "😀"),
    ],
)
def test_text_is_cleaned(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@given(st.text(st.characters()))
def test_clean_text_can_be_encoded_and_is_left_alone_when_cleaned_again(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode()
    assert "\0" not in cleaned
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("Infinity")])
def test_numbers_that_json_lacks_are_refused_with_their_place(number: Any) -> None:
    with pytest.raises(EncodingError) as caught:
        encode_value({"scores": [1.0, {"best one": number}]}, "result")
    assert caught.value.field == "result.scores[1]['best one']"


def test_an_unknown_type_is_refused_by_name_and_place() -> None:
    with pytest.raises(EncodingError, match=r"^a\[0\]\.b: has a type that can't be stored: object$"):
        encode_value([{"b": object()}], "a")


def test_a_class_is_not_taken_for_an_instance_of_it() -> None:
    with pytest.raises(EncodingError, match="type"):
        encode_value(Point)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = [loop]
    with pytest.raises(EncodingError, match=r"^x\.self\[0\]: contains itself$"):
        encode_value(loop, "x")


def test_the_same_value_twice_is_no_cycle() -> None:
    shared = [1]
    assert encode_value([shared, shared]) == [[1], [1]]


def test_deep_nesting_is_allowed_up_to_the_limit() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert encode_value(deep) == deep
    with pytest.raises(EncodingError, match="nested more than"):
        encode_value([deep])


def test_lists_that_share_each_other_cannot_make_a_giant() -> None:
    bomb: Any = "x"
    for _ in range(50):
        bomb = [bomb, bomb]
    with pytest.raises(EncodingError, match="too large"):
        encode_value(bomb)


def test_an_endless_sequence_is_refused() -> None:
    class Endless(list[int]):
        def __iter__(self) -> Iterator[int]:
            while True:
                yield 1

    with pytest.raises(EncodingError, match="too large"):
        encode_value(Endless())


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(EncodingError, match="digits"):
        encode_value(10**5000)


class Onion:
    def __fspath__(self) -> Any:
        return self


def test_a_path_that_is_no_text_is_refused() -> None:
    with pytest.raises(EncodingError):
        encode_value(Onion())


class Angry:
    """Whatever is done with it raises, with a text that nobody may see."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("secret")


class AngryModel(BaseModel):
    def model_dump(self, **kwargs: Any) -> dict[str, Any]:
        raise RuntimeError("secret")


class AngryPath:
    def __fspath__(self) -> str:
        raise RuntimeError("secret")

    __str__ = __fspath__


class AngryList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError("secret")


class AngryDict(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("secret")


@pytest.mark.parametrize("make", [Angry, AngryModel, AngryPath, lambda: AngryList([1]), lambda: AngryDict(a=1)])
def test_whatever_a_value_raises_is_an_encoding_error_without_its_text(make: Any) -> None:
    with pytest.raises(EncodingError) as caught:
        encode_value({"a": make()}, "f")
    assert caught.value.field == "f.a"
    assert "secret" not in str(caught.value)


def test_subclasses_of_text_and_numbers_become_the_plain_ones() -> None:
    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "lie"

    class Number(int):
        def __int__(self) -> int:
            return 0

    encoded = encode_value([Text("truth"), Number(7)])
    assert encoded == ["truth", 7]
    assert [type(value) for value in encoded] == [str, int]


Recursive = make_dataclass("Recursive", [("inner", Any, field(default=None))])

odd_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters()),
    st.binary(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.datetimes(),
    st.timedeltas(),
    st.times(),
    st.builds(object),
    st.sampled_from([Colour.RED, Level.LOW, Mood.GOOD, Point, print, math]),
    st.sampled_from([AngryModel, AngryPath, Onion]).map(lambda kind: kind()),
)
odd_values = st.recursive(
    odd_leaves,
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(st.text(st.characters()) | st.integers() | st.none() | st.booleans() | st.floats(), inner),
        st.builds(Recursive, inner=inner),
        st.iterables(inner),
        st.frozensets(st.integers() | st.text(st.characters()) | st.floats() | st.booleans()),
    ),
    max_leaves=20,
)


def encoded_or_error(encode: Callable[[], Any]) -> Any:
    """What was encoded, or the EncodingError; anything else that is raised fails the test."""
    try:
        return encode()
    except EncodingError as error:
        return error


@given(odd_values)
def test_any_value_becomes_strict_json_in_utf8_or_an_encoding_error(value: Any) -> None:
    encoded = encoded_or_error(lambda: encode_value(value, "field"))
    if isinstance(encoded, EncodingError):
        assert encoded.field.startswith("field")
        assert str(encoded).encode()
    else:
        assert json.loads(canonical_json(encoded).encode()) == encoded


def test_canonical_json_keeps_order_and_writes_no_spaces() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "é"}) == '{"b":[1,2.5,null],"a":"é"}'
