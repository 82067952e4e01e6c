"""How an exported chat looks and what its file is called. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.exportformats import FORMATS, file_name

CHAT = {"title": "Rivers\nof Africa", "created_at": "2026-01-31T12:00:00.000000Z"}


def answer(*parts, status="completed", errors=()):
    return {
        "kind": "response", "status": status, "parts": list(parts), "errors": list(errors), "task": "demo",
        "model_id": "offline", "created_at": "2026-01-31T12:00:05.000000Z",
    }  # fmt: skip


def markdown(*parts, **fields):
    return FORMATS["markdown"].message(answer(*parts, **fields), True)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Rivers of Africa", "Rivers of Africa.md"), ("", "chat.md"), ("../../etc/passwd", "etc passwd.md"),
        ('a"b\\c:d*?<>|', "a b c d.md"), ("CON", "chat CON.md"), ("nul.txt", "chat nul.txt.md"), ("...", "chat.md"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie x.md"), ("\u202etxt.exe", "txt.exe.md"), ("Flüsse 名前", "Flüsse 名前.md"),
        ("x" * 300, "x" * 80 + ".md"),
    ],
)  # fmt: skip
def test_a_file_name_is_safe_on_every_system(title, name):
    assert file_name(title, "md") == name


@given(st.text(max_size=200))
def test_no_title_gives_a_name_with_a_path_or_nothing_in_it(title):
    name = file_name(title, "json")
    assert name.endswith(".json")
    assert len(name) > len(".json")
    assert not set(name) & set('/\\:*?"<>|\r\n\0')


def test_a_chat_begins_with_its_title_on_one_line():
    assert FORMATS["markdown"].head(CHAT) == "# Rivers of Africa\n\n2026-01-31\n"


def test_an_answer_reads_as_it_was_written():
    text = markdown({"kind": "text", "content": "The **Nile**.\n"})
    assert text == "\n## Answer, 2026-01-31 12:00 UTC (demo, offline)\n\nThe **Nile**.\n"


def test_a_fence_is_longer_than_those_in_it():
    text = markdown({"kind": "tool-return", "tool_name": "shell", "result": "````\nx", "content": ""})
    assert "\n`````\n````\nx\n`````\n" in text


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"kind": "tool-call", "tool_name": "sum", "tool_args": {"a": 1}}, '```json\n{"a":1}\n```'),
        ({"kind": "reasoning", "content": "one\ntwo"}, "> one\n> two"),
        ({"kind": "document", "title": "Report", "pointer": "https://e.example/r"}, "Report <https://e.example/r>"),
        ({"kind": "citation", "content": "a\nb", "reference_number": 1, "citation_id": "1", "page": 2,
          "document_id": "d", "document_title": "Report"}, "> a\n> b\n>\n> [1] Report, page 2"),
        ({"kind": "image", "alt": "A map", "file_id": "f"}, "*Image: A map*"),
        ({"kind": "file", "name": "q3.pdf", "file_id": "f"}, "*Attachment: q3.pdf*"),
        ({"kind": "custom", "type": "progress", "fields": {"percent": 5}}, '{"percent":5}'),
    ],
)  # fmt: skip
def test_every_kind_of_part_is_readable(part, words):
    assert words in markdown(part)


def test_errors_and_stops_are_said():
    assert "> **Error:** It\n> broke." in markdown(errors=[{"message": "It\nbroke."}])
    assert "*Stopped here.*" in markdown(status="cancelled")
