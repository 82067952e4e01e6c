"""What is shown for a message's parts: on the server as on the page."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats.presentation import items_of

SCRIPTS = Path(__file__).resolve().parent.parent / "js"


def text(content: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "text", "content": content, **fields}


def document(name: str) -> dict[str, Any]:
    return {"kind": "document", "document_id": name, "title": name.upper(), "pointer": "", "content": ""}


def citation(name: str, content: str, title: str | None = None) -> dict[str, Any]:
    return {"kind": "citation", "document_id": name, "document_title": title, "content": content}


def tool(kind: str, tool_id: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "tool_id": tool_id, "tool_name": "t", "content": "", **fields}


def test_text_parted_by_sources_is_one_text_and_the_sources_come_after_it():
    items = items_of([document("a"), text("one "), citation("a", "quoted"), text("two")])
    assert [(item.part["kind"], item.part.get("content")) for item in items] == [("text", "one two"), ("sources", None)]
    assert [source.document["title"] for source in items[1].sources] == ["A"]
    assert [cited["content"] for cited in items[1].sources[0].citations] == ["quoted"]


def test_hidden_text_is_not_joined_with_what_the_owner_sees():
    items = items_of([text("seen"), text("hidden", hidden=True), text("seen again")])
    assert [item.part["content"] for item in items] == ["seen", "hidden", "seen again"]


def test_a_cited_source_that_nobody_named_is_listed_by_its_title_or_id():
    items = items_of([citation("a", "x", "Title"), citation("b", "y")])
    assert [source.document["title"] for source in items[0].sources] == ["Title", "b"]


def test_a_tools_return_is_in_its_calls_card_wherever_it_came():
    call, returned = tool("tool-call", "1", tool_args={}), tool("tool-return", "1", result=5)
    items = items_of([call, text("meanwhile"), returned])
    assert [item.part["kind"] for item in items] == ["tool-call", "text"]
    assert items[0].returned == returned


def test_a_return_without_a_call_has_a_card_of_its_own():
    assert [item.returned["result"] for item in items_of([tool("tool-return", "1", result=5)])] == [5]


names = st.sampled_from(["a", "b"])
parts = st.lists(
    st.one_of(
        st.builds(text, st.sampled_from(["x", "y "])),
        st.builds(document, names),
        st.builds(citation, names, st.sampled_from(["p", "q"]), st.none() | st.just("T")),
        st.builds(tool, st.just("tool-call"), names),
        st.builds(tool, st.just("tool-return"), names, result=st.integers(0, 2)),
        st.builds(dict, kind=st.just("reasoning"), content=st.sampled_from(["", "hm"])),
        st.builds(dict, kind=st.sampled_from(["custom", "image"]), content=st.just("")),
    ),
    max_size=8,
)


def shown(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "kind": item.part["kind"],
            "content": item.part.get("content", ""),
            "result": item.returned["result"] if item.returned else None,
            "sources": [[each.document["title"], [one["content"] for one in each.citations]] for each in item.sources],
        }
        for item in items_of(listed)
    ]


@pytest.mark.node
@given(st.lists(parts, min_size=40, max_size=40))
@settings(max_examples=3, deadline=None)
def test_the_page_shows_what_the_server_shows(lists):
    command = [shutil.which("node"), "--import", str(SCRIPTS / "modules.mjs"), str(SCRIPTS / "items_lines.mjs")]
    lines = "\n".join(json.dumps(listed) for listed in lists)
    run = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in run.stdout.splitlines()] == [shown(listed) for listed in lists]
