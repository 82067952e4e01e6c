"""Messages as handlers see them."""

import pytest

from handlers.errors import AttachmentError
from handlers.messages import (
    PART_CLASSES,
    CitationPart,
    CustomPart,
    FilePart,
    Message,
    MessagePart,
    ToolCallPart,
    parse_part,
)
from handlers.testing import attachment


def test_a_message_needs_only_its_parts() -> None:
    message = Message(parts=[MessagePart(content="Test query")])
    assert (message.text, message.kind, message.parts[0].kind) == ("Test query", "request", "text")


def test_text_joins_visible_text_parts_only() -> None:
    message = Message(
        parts=[
            MessagePart(content="a"),
            MessagePart(content="secret", hidden=True),
            CitationPart(content="passage"),
            MessagePart(content="b"),
        ]
    )
    assert message.text == "ab"


@pytest.mark.parametrize("kind", list(PART_CLASSES))
def test_each_kind_has_a_class_that_knows_its_kind(kind: str) -> None:
    part = parse_part({"kind": kind, "content": "c", "hidden": True})
    assert (type(part), part.kind, part.content, part.hidden) == (PART_CLASSES[kind], kind, "c", True)
    assert PART_CLASSES[kind]().kind == kind


def test_a_stored_parts_fields_are_kept() -> None:
    part = parse_part({"kind": "tool-call", "tool_id": "1", "tool_name": "t", "tool_args": {"a": 1}, "content": ""})
    assert part == ToolCallPart(tool_id="1", tool_name="t", tool_args={"a": 1})


def test_a_custom_part_keeps_the_events_name_and_fields() -> None:
    part = parse_part({"kind": "custom", "type": "progress_report", "fields": {"percent": 1}})
    assert isinstance(part, CustomPart)
    assert (part.type, part.fields) == ("progress_report", {"percent": 1})


def test_a_part_without_a_kind_is_text() -> None:
    assert parse_part({"content": "x"}) == MessagePart(content="x")


def test_unknown_kinds_and_fields_are_passed_over() -> None:
    part = parse_part({"kind": "hologram", "content": "", "depth": 3, "reader": "no"})
    assert (part.kind, part.reader) == ("hologram", None)


async def test_an_attachment_is_read() -> None:
    assert await attachment("notes.txt", b"hello", "text/plain").read() == b"hello"


async def test_reading_a_part_without_bytes_says_so() -> None:
    with pytest.raises(AttachmentError, match="can't be read"):
        await FilePart(name="a").read()
