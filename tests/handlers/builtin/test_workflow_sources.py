"""What counts as a given text, and how files become words."""

from typing import Any

import pytest

from handlers.builtin.workflow.sources import Unreadable, given_texts, text_of_bytes, topic_and_text
from handlers.messages import DocumentPart, ImagePart, Message, MessagePart
from handlers.testing import attachment, conversation

LONG = "The sea rises and falls twice a day. " * 12


def _titles(history: Any = (), request: Message | None = None, context: Any = None) -> list[str]:
    return [given.title for given in given_texts(history, request or Message(), context)]


@pytest.mark.parametrize(
    ("message", "topic", "text"),
    [
        ("What is it?", "What is it?", ""),
        (f"What is it?\n\n{LONG}", "What is it?", LONG.strip()),
        (f"What is it?\n{LONG}", "What is it?", LONG.strip()),
        (LONG, "", LONG.strip()),
        ("One line\nand another", "One line\nand another", ""),
        ("", "", ""),
    ],
)
def test_a_message_is_parted_into_what_it_asks_and_what_it_brings(message: str, topic: str, text: str) -> None:
    assert topic_and_text(message) == (topic, text)


def test_what_came_with_the_request_is_first_and_nothing_is_there_twice() -> None:
    file = attachment("a.txt", b"sea", "text/plain")
    earlier = Message(id="m", parts=[attachment("b.txt", b"sea", "text/plain"), file])
    request = Message(parts=[file, MessagePart(content=LONG)])
    context = [
        {"title": "Note", "content": "Salt."},
        {"type": "page", "content": "x"},
        {"title": "Empty", "content": " "},
    ]
    assert _titles([earlier], request, context) == ["Note", "page", "a.txt", "The message", "b.txt"]


def test_an_earlier_long_request_is_a_text_and_an_answer_is_none() -> None:
    assert _titles(conversation(LONG, LONG)) == ["An earlier message"]


def test_a_document_with_its_words_is_a_text_a_mere_reference_and_hidden_parts_are_none() -> None:
    parts = [
        DocumentPart(document_id="d", title="Report", content="Words."),
        DocumentPart(document_id="e", title="Elsewhere"),
        DocumentPart(document_id="f", title="Hidden", content="Words.", hidden=True),
    ]
    assert _titles([Message(kind="response", parts=parts)]) == ["Report"]


async def test_an_image_is_named_as_unreadable() -> None:
    (given,) = given_texts([], Message(parts=[ImagePart(file_id="i", mime_type="image/png", alt="A chart")]), None)
    with pytest.raises(Unreadable, match="image/png"):
        await given.read()


@pytest.mark.parametrize(
    ("content", "mime_type", "text"),
    [
        ("Meer, März".encode(), "text/plain", "Meer, März"),
        ("\ufeffMeer".encode(), "text/plain", "Meer"),
        ("März".encode("utf-16"), "text/plain", "März"),
        ("März".encode("cp1252"), "text/plain", "März"),
        (b"<p>A &amp; B</p><script>no()</script><p>C</p>", "text/html", "\n\nA & B\n\n\n\nC\n\n"),
    ],
)
def test_bytes_become_words(content: bytes, mime_type: str, text: str) -> None:
    assert text_of_bytes(content, mime_type) == text


@pytest.mark.parametrize("content", [b"", b" \n", b"\x00\x01PNG", b"..."])
def test_bytes_without_words_are_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        text_of_bytes(content, "application/octet-stream")
