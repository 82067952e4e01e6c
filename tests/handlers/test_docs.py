"""docs/handlers.md: its examples run, and it leaves out nothing that exists."""

import asyncio
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import handlers.checks
from handlers.base import HANDLE_PARAMETERS
from handlers.builtin.demo.scenes import SCENES
from handlers.clients import clients
from handlers.events import BUILT_IN_EVENTS, BaseEvent
from handlers.messages import PART_CLASSES, MessagePart

PAGE = (Path(__file__).parents[2] / "docs" / "handlers.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
WRONG_ON_PURPOSE = "sources: list[str] = []"


@pytest.fixture(scope="module")
def page() -> Iterator[dict[str, Any]]:
    """All examples run in the page's order, as one module's code; the first one is a package of its own too."""
    first = sys.modules["my_handlers"] = ModuleType("my_handlers")
    exec(compile(EXAMPLES[0], "docs/handlers.md", "exec"), first.__dict__)
    names: dict[str, Any] = {"__name__": "docs_handlers"}
    for example in EXAMPLES:
        exec(compile(example, "docs/handlers.md", "exec"), names)
    yield names
    clients.unregister("weather")
    del sys.modules["my_handlers"]


NAMES = re.findall(r"def (test_\w+)", "\n".join(EXAMPLES))
# What crosses threads needs a database whose changes they see, which has to be known before the test begins.
ON_A_DATABASE = re.findall(r"def (test_\w+)\(.*\bengine\b", "\n".join(EXAMPLES))
MARKED = [
    pytest.param(name, marks=pytest.mark.django_db(transaction=True) if name in ON_A_DATABASE else ()) for name in NAMES
]


def test_no_two_examples_have_one_name() -> None:
    assert sorted(set(NAMES)) == sorted(NAMES)


@pytest.mark.parametrize("name", MARKED)
def test_an_example_does_what_the_page_says(page: dict[str, Any], name: str, request: pytest.FixtureRequest) -> None:
    outcome = page[name](**{each: request.getfixturevalue(each) for each in inspect.signature(page[name]).parameters})
    if inspect.iscoroutine(outcome):
        asyncio.run(outcome)


def test_the_mutable_default_that_the_page_warns_of_is_an_error() -> None:
    (example,) = [example for example in EXAMPLES if WRONG_ON_PURPOSE in example]
    names: dict[str, Any] = {"__name__": "docs_handlers"}
    exec(compile(example, "docs/handlers.md", "exec"), names)
    with pytest.raises(ValueError, match="mutable default"):
        names["AuditNoteEvent"](note="x")


@pytest.mark.parametrize("event_class", BUILT_IN_EVENTS)
def test_every_event_has_its_heading_and_fields(event_class: type[BaseEvent]) -> None:
    section = PAGE.split(f"### `{event_class.type}`\n")[1].split("\n#")[0]
    call = re.search(rf"`{event_class.__name__}\((.*?)\)`", section)
    assert call
    common = {field.name for field in fields(BaseEvent)}
    own = [field for field in fields(event_class) if field.name not in common]
    documented = [part.partition("=") for part in call[1].split(", ")]
    assert [name for name, _, _ in documented] == [field.name for field in own]
    for (_, equals, default), field in zip(documented, own, strict=True):
        optional = field.default is not MISSING or field.default_factory is not MISSING
        assert bool(equals) is optional
        if field.default is not MISSING:
            assert default == repr(field.default).replace("'", '"')


@pytest.mark.parametrize("kind", PART_CLASSES)
def test_every_kind_of_part_is_listed_with_its_fields(kind: str) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \|.*$", PAGE, re.MULTILINE)
    common = {field.name for field in fields(MessagePart)}
    for name in {field.name for field in fields(PART_CLASSES[kind])} - common:
        assert f"`{name}`" in row


@pytest.mark.parametrize("name", sorted(HANDLE_PARAMETERS))
def test_every_value_that_handle_takes_is_listed(name: str) -> None:
    assert re.search(rf"^\|.*`{name}`.*\|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", clients.names())
def test_every_client_is_listed(name: str) -> None:
    assert f"| `{name}_client` |" in PAGE


def test_every_check_has_its_heading() -> None:
    ids = set(re.findall(r"handlers\.[EW]\d{3}", inspect.getsource(handlers.checks)))
    assert ids == set(re.findall(r"^### (handlers\.[EW]\d{3})$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("word", SCENES)
def test_every_word_of_the_demo_is_listed(word: str) -> None:
    assert f"`{word}`" in PAGE.split("- **`demo`**")[1].split("\n")[0]


def test_every_link_within_the_page_has_its_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors
