"""The page folds events as the server does: the two folds are run side by side on the same events."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chats.transcript import Fold

TESTS = Path(__file__).resolve().parent.parent
NODE = shutil.which("node")

pytestmark = pytest.mark.node

texts = st.text(max_size=5)
names = st.sampled_from(["a", "b", "constructor", "__proto__", "Ünïcode"])
values = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | texts, lambda inner: st.lists(inner, max_size=2))
safe_integers = st.integers(-(2**53) + 1, 2**53 - 1)  # beyond them JavaScript has no exact numbers
numbers = st.none() | st.integers(1, 3)


def event(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(fields))


content = event("content", content=texts)
kinds = (
    event("reasoning", text=texts, signature=st.none() | texts, redacted=st.none() | st.none() | texts),
    event("status", status=st.just("processing"), message=texts),
    event("image", file_id=texts, mime_type=texts, alt=texts),
    event("tool_call", tool_name=names, tool_args=st.dictionaries(names, values, max_size=2), tool_id=names),
    event("tool_return", tool_name=names, result=values, tool_id=names),
    event(
        "document",
        document_id=names,
        title=texts,
        pointer=texts,
        mime_type=texts,
        page_count=numbers,
        word_count=numbers,
    ),
    event(
        "citation",
        document_id=names,
        text=texts,
        page=numbers,
        section=st.none() | texts,
        citation_id=names,
        reference_number=numbers,
        document_title=st.none() | texts,
        document_pointer=st.none() | texts,
    ),
    event("metadata", metadata=st.dictionaries(names, values, max_size=2)),
    event("error", error_type=names, message=texts),
    event("progress_report", percent=safe_integers, note=values),
)
ends = event(
    "response_end",
    status=st.sampled_from(["completed", "cancelled", "error"]),
    usage=st.dictionaries(st.sampled_from(["input_tokens", "total_tokens"]), st.integers(0, 9)),
    error_type=st.none() | names,
)
# A few kinds at a time: neighbours are what the folds could differ in.
chosen_kinds = st.lists(st.sampled_from(kinds), max_size=2).map(lambda chosen: st.one_of(content, *chosen))
listed_events = chosen_kinds.flatmap(lambda events: st.lists(st.tuples(events, st.booleans()), max_size=12))
logs = st.tuples(listed_events, st.none() | ends)


class PageFold:
    """The page's fold in one node process."""

    def __init__(self) -> None:
        command = [str(NODE), "--import", str(TESTS / "js" / "modules.mjs"), str(TESTS / "js" / "fold_lines.mjs")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def fold(self, wire_events: list[dict[str, Any]]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(wire_events) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def page() -> Iterator[PageFold]:
    page = PageFold()
    yield page
    page.process.kill()
    page.process.communicate()


def fold_here(log: list[tuple[str, dict[str, Any], int | None]]) -> dict[str, Any]:
    fold = Fold()
    for kind, fields, sequence in log:
        if sequence is not None:
            fold.feed(kind, fields, sequence)
    names = ("parts", "errors", "metadata", "usage", "status", "error_type")
    return {name: getattr(fold, name) for name in names}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs)
def test_the_page_folds_what_is_stored_as_the_server_does(page: PageFold, log: Any) -> None:
    listed, end = log
    numbered: list[tuple[str, dict[str, Any], int | None]] = []
    for (kind, fields), stored in [*listed, *([(end, True)] if end else [])]:
        numbered.append((kind, fields, sum(each[2] is not None for each in numbered) if stored else None))
    wire = [{"type": kind, "sequence": sequence, **fields} for kind, fields, sequence in numbered]
    assert page.fold(wire) == fold_here(numbered)
