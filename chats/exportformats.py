"""A chat as a file: JSON, a JSON object per line, or Markdown to be read. Pure: takes objects of the wire.

Owns how each looks and what the file is called. Which messages go in, and that nothing hidden does, is export.py's
and reading.py's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.encoding import canonical_json

__all__ = ["FORMATS", "Format", "file_name"]

Fields = Mapping[str, Any]

LONGEST_NAME = 80  # characters, without the ending
_UNSAFE = re.compile(r'[\\/:*?"<>|%]+')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True, slots=True)
class Format:
    """How a file begins with its chat, goes on with each message, and ends."""

    content_type: str
    suffix: str
    head: Callable[[Fields], str]
    message: Callable[[Fields, bool], str]  # the message, and whether it is the first
    tail: str
    one_branch: bool = False  # of a tree it has the active branch, unless another is asked for


def file_name(title: str, suffix: str) -> str:
    """A name that every system takes, from a title that may hold anything."""
    visible = "".join(char for char in unicodedata.normalize("NFC", title) if unicodedata.category(char)[0] != "C")
    plain = " ".join(_UNSAFE.sub(" ", visible).split()).strip(". ")[:LONGEST_NAME].strip(". ")
    if not plain or _RESERVED.match(plain):
        plain = f"chat {plain}".strip()
    return f"{plain}.{suffix}"


# JSON: one object; and one object a line


def _json_head(chat: Fields) -> str:
    return f'{{"chat":{canonical_json(chat)},"messages":['


def _json_message(message: Fields, first: bool) -> str:
    return ("\n" if first else ",\n") + canonical_json(message)


def _line_head(chat: Fields) -> str:
    return ""


def _line_message(message: Fields, first: bool) -> str:
    return canonical_json(message) + "\n"


# Markdown


def _markdown_head(chat: Fields) -> str:
    title = " ".join(chat["title"].split()) or "Chat"
    return f"# {title}\n\n{_day(chat['created_at'])}\n"


def _markdown_message(message: Fields, first: bool) -> str:
    blocks = [_heading(message), *(block for part in message["parts"] for block in _blocks(part))]
    blocks += [f"> **Error:** {_quoted(error['message'])}" for error in message["errors"]]
    if message["status"] == "cancelled":
        blocks.append("*Stopped here.*")
    elif message["status"] in ("queued", "running"):
        blocks.append("*Still being written.*")
    return "\n" + "\n\n".join(blocks) + "\n"


def _heading(message: Fields) -> str:
    if message["kind"] == "request":
        return f"## Question, {_time(message['created_at'])}"
    by = ", ".join(name for name in (message["task"], message["model_id"]) if name)
    return f"## Answer, {_time(message['created_at'])}" + (f" ({by})" if by else "")


def _blocks(part: Fields) -> Iterator[str]:
    match part["kind"]:
        case "text":
            yield part["content"].strip("\n")
        case "reasoning":
            if part["content"]:
                yield f"> **Reasoning**\n>\n> {_quoted(part['content'])}"
        case "tool-call":
            yield f"**Tool `{part['tool_name']}`**"
            yield _fenced(part["tool_args"])
        case "tool-return":
            yield f"**Result of `{part['tool_name']}`**"
            yield _fenced(part["result"])
        case "document":
            yield f"**Source:** {part['title']}" + (f" <{part['pointer']}>" if part.get("pointer") else "")
        case "citation":
            yield f"> {_quoted(part['content'])}\n>\n> {_cited(part)}"
        case "image":
            yield f"*Image: {part.get('alt') or part.get('name') or part['file_id']}*"
        case "file":
            yield f"*Attachment: {part.get('name') or part['file_id']}*"
        case _:
            yield f"**{part.get('type', part['kind'])}**"
            yield _fenced(part.get("fields", {}))


def _cited(citation: Fields) -> str:
    number = citation["reference_number"] if citation["reference_number"] is not None else citation["citation_id"]
    page = f", page {citation['page']}" if citation.get("page") is not None else ""
    return f"[{number}] {citation.get('document_title') or citation['document_id']}{page}"


def _quoted(text: str) -> str:
    return text.strip("\n").replace("\n", "\n> ")


def _fenced(value: Any) -> str:
    """A code block, with a fence that what is in it can't close."""
    text, language = (value, "") if isinstance(value, str) else (canonical_json(value), "json")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _day(iso: str) -> str:
    return iso[:10]


def _time(iso: str) -> str:
    return f"{iso[:10]} {iso[11:16]} UTC"


FORMATS = {
    "json": Format("application/json", "json", _json_head, _json_message, "\n]}\n"),
    "jsonl": Format("application/jsonl; charset=utf-8", "jsonl", _line_head, _line_message, ""),
    "markdown": Format("text/markdown; charset=utf-8", "md", _markdown_head, _markdown_message, "", one_branch=True),
}
