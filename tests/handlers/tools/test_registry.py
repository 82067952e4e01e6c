"""The registry of tools."""

import pytest

from handlers.tools import Tool, ToolRegistry, tools


def greeting(name: str) -> str:
    """Greets."""
    return f"Hello, {name}!"


def test_a_plain_function_is_registered_in_one_line() -> None:
    registry = ToolRegistry()
    registry.register(greeting)
    assert registry.names() == ["greeting"]
    assert isinstance(registry.get("greeting"), Tool)


def test_a_taken_name_is_refused() -> None:
    registry = ToolRegistry()
    registry.register(greeting)
    with pytest.raises(ValueError, match="'greeting' is there already"):
        registry.register(greeting)


def test_the_name_of_the_tool_that_fetches_is_reserved() -> None:
    with pytest.raises(ValueError, match="fetch_url"):
        ToolRegistry().register(Tool(greeting, name="fetch_url"))


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(LookupError, match="calculator, current_time"):
        tools.get("nothing")
