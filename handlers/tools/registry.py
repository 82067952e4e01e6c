"""The tools of one process, by name."""

from collections.abc import Callable, Iterable
from typing import Any

from handlers.tools.typed import Tool, tool

RESERVED = frozenset({"fetch_url"})  # made by the handler that configures it


class ToolRegistry:
    """Filled when the process starts, and only read after that."""

    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {}

    def register(self, function: Callable[..., Any]) -> Tool:
        """Add a tool, or a plain function as one. Raises TypeError for what can't be one, ValueError for a name that
        is taken."""
        made = tool(function)
        if made.name in self._tools or made.name in RESERVED:
            raise ValueError(f"A tool named {made.name!r} is there already.")
        self._tools[made.name] = made
        return made

    def unregister(self, name: str) -> None:
        """Take a tool away; for tests."""
        self._tools.pop(name, None)

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._tools)

    def get(self, name: str) -> Tool:
        """The tool of this name. Raises LookupError."""
        if name not in self._tools:
            raise LookupError(f"There is no tool {name!r}; there are {', '.join(self._tools)}.")
        return self._tools[name]

    def chosen(self, names: Iterable[str]) -> list[Tool]:
        """The tools of these names. Raises LookupError."""
        return [self.get(name) for name in names]
