"""From a function to a tool: the schema that a model sees, and the check of what it sends."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from handlers.tools import Tool, ToolContext, ToolError, tool


class Place(BaseModel):
    city: str
    zip_code: int | None = None


@tool
def forecast(
    place: Place,
    days: Annotated[int, Field(ge=1, le=14)] = 3,
    *,
    unit: Literal["celsius", "fahrenheit"] = "celsius",
    schema: list[str] | None = None,
) -> str:
    """Tell the weather of the next days.

    Not for the past.

    Args:
        place: Where,
            with its city.
        days (int): How many.
        unit: Of temperatures.

    Returns:
        A sentence.
    """
    return f"{place.city}, {days} days in {unit}"


def test_the_description_is_the_docstring_down_to_its_arguments() -> None:
    assert forecast.name == "forecast"
    assert forecast.description == "Tell the weather of the next days.\n\nNot for the past."


def test_the_schema_is_made_of_hints_defaults_and_docstring() -> None:
    fields = forecast.schema["properties"]
    assert forecast.schema["required"] == ["place"]
    assert forecast.schema["additionalProperties"] is False
    assert fields["days"] == {"default": 3, "description": "How many.", "maximum": 14, "minimum": 1, "type": "integer"}
    assert fields["unit"]["enum"] == ["celsius", "fahrenheit"]
    assert fields["place"]["description"] == "Where, with its city."
    assert set(fields) == {"place", "days", "unit", "schema"}


def test_sphinx_docstrings_are_read_too() -> None:
    def area(width: float, height: float) -> float:
        """Area of a rectangle.

        :param width: In metres.
        :param float height: In metres
            too.
        :returns: Square metres.
        """
        return width * height

    made = Tool(area)
    assert made.description == "Area of a rectangle."
    assert [field["description"] for field in made.schema["properties"].values()] == ["In metres.", "In metres too."]


def test_the_spec_is_what_a_models_request_takes() -> None:
    assert forecast.spec["toolSpec"].keys() == {"name", "description", "inputSchema"}
    assert forecast.spec["toolSpec"]["inputSchema"]["json"]["type"] == "object"


def test_arguments_become_what_the_function_takes() -> None:
    checked = forecast.checked({"place": {"city": "Kiel"}, "days": "5"})
    assert checked == {"place": Place(city="Kiel"), "days": 5, "unit": "celsius", "schema": None}
    assert forecast(**checked) == "Kiel, 5 days in celsius"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "place: Missing required argument."),
        ({"place": {}}, "place.city: Field required."),
        ({"place": {"city": "x"}, "days": 99}, "days: Input should be less than or equal to 14."),
        ({"place": {"city": "x"}, "when": 1}, "when: Unexpected argument."),
        ({"place": "Kiel"}, "place: Input should be"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place_and_what_is_expected(arguments: Any, words: str) -> None:
    with pytest.raises(ToolError) as caught:
        forecast.checked(arguments)
    assert words in str(caught.value)
    assert str(caught.value).endswith("The arguments are: place, days, unit, schema.")


def test_who_asks_is_given_and_neither_shown_to_the_model_nor_taken_from_it() -> None:
    @tool
    def my_orders(context: ToolContext, year: int) -> str:
        """My orders."""
        return f"{context.user_id} {year}"

    assert set(my_orders.schema["properties"]) == {"year"}
    assert my_orders(**my_orders.checked({"year": 2026}, ToolContext(user_id="ada"))) == "ada 2026"
    with pytest.raises(ToolError):
        my_orders.checked({"year": 2026, "context": {"user_id": "eve"}})


def undocumented(number: int) -> int:
    return number


def unhinted(number):  # type: ignore[no-untyped-def]
    """Documented."""


def of_any_number(*numbers: int) -> int:
    """Documented."""
    return sum(numbers)


def of_anything(**values: int) -> None:
    """Documented."""


def hinted_by_nothing(number: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821
    """Documented."""


def of_a_class_of_its_own(number: Any, what: "type[int] | Opaque") -> None:
    """Documented."""


class Opaque:
    """Nothing that has a schema."""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (undocumented, "no docstring"),
        (unhinted, "number needs a type hint"),
        (of_any_number, "by name"),
        (of_anything, "by name"),
        (hinted_by_nothing, "names what isn't there"),
        (of_a_class_of_its_own, "can't be made a JSON schema"),
        (lambda: None, "can't be a tool's name"),
    ],
)
def test_what_can_be_no_tool_is_refused_with_the_reason(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        tool(function)


def test_a_tool_stays_what_it_is() -> None:
    assert tool(forecast) is forecast


def test_dataclasses_are_arguments_too() -> None:
    @dataclass
    class Point:
        x: float
        y: float = 0.0

    def norm(point: Point) -> float:
        """How far a point is from the origin."""
        return float((point.x**2 + point.y**2) ** 0.5)

    made = Tool(norm)
    assert made(**made.checked({"point": {"x": 3, "y": 4}})) == 5.0
