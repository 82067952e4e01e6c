"""docs/tools.md: its examples run, and it leaves out nothing that exists."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.builtin.chat import ChatHandler
from handlers.builtin.chat.history import HistoryCutEvent
from handlers.tools import tools

PAGE = (Path(__file__).parents[3] / "docs" / "tools.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
OLDER = {"system_prompt", "temperature", "max_tokens"}  # in docs/handlers.md


@pytest.fixture(scope="module")
def page() -> Iterator[dict[str, Any]]:
    """All examples run in the page's order, as one module's code."""
    names: dict[str, Any] = {"__name__": "docs_tools"}
    for example in EXAMPLES:
        exec(compile(example, "docs/tools.md", "exec"), names)
    yield names
    tools.unregister("order_status")


@pytest.mark.parametrize("name", re.findall(r"def (test_\w+)", "\n".join(EXAMPLES)))
def test_an_example_does_what_the_page_says(page: dict[str, Any], name: str) -> None:
    asyncio.run(page[name]())


@pytest.mark.parametrize("option", sorted(set(ChatHandler.Config.model_fields) - OLDER))
def test_every_option_has_its_row_with_its_default(option: str) -> None:
    (row,) = re.findall(rf"^\| `{option}` \| (.+?) \|", PAGE, re.MULTILINE)
    default = ChatHandler.Config.model_fields[option].default
    plain = str(default).replace("'", '"') if isinstance(default, list) else str(default).lower().removesuffix(".0")
    assert row.strip("`") == plain


@pytest.mark.parametrize("name", [*tools.names(), "fetch_url", HistoryCutEvent.type])
def test_every_tool_and_the_audits_event_are_told_of(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_link_within_the_page_has_its_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors
