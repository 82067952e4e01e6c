"""Which texts a request gives to work on, and how each is read.

Owns what counts as a text: context items, attached files, the message's own text where it is long, and what was given
earlier in the chat. What is made of them is the other modules'.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from handlers.errors import HandlerError
from handlers.messages import DocumentPart, FilePart, ImagePart, Message, MessagePart
from handlers.models.offline_text import words_of

LONG = 40  # words from which a message's paragraphs are a text to work on, not a question
_TEXT_TYPES = re.compile(
    r"text/|application/(json|xml|yaml|x-yaml|toml|x-ndjson|javascript|octet-stream)|.*\+(json|xml)"
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")


class Unreadable(HandlerError):
    """A text can't be had. Its words are the reason, in a clause."""

    error_type = "unreadable_text"


@dataclass(frozen=True)
class Given:
    """A text that was given. `read` gives its words; raises AttachmentError or Unreadable."""

    id: str
    title: str
    mime_type: str
    read: Callable[[], Awaitable[str]]


def topic_and_text(message: str) -> tuple[str, str]:
    """What a message asks, and the text that it brings along: a short beginning, and a long rest."""
    message = message.strip()
    for parting in (r"\n\s*\n", r"\n"):
        head, rest = [*re.split(parting, message, maxsplit=1), ""][:2]
        if len(words_of(rest)) >= LONG > len(words_of(head)):
            return head.strip(), rest.strip()
    return ("", message) if len(words_of(message)) >= 2 * LONG else (message, "")


def given_texts(
    history: Iterable[Message], request: Message, context: Iterable[Mapping[str, Any]] | None
) -> list[Given]:
    """Everything that can be worked on, what came with the request first. Nothing is read yet."""
    found = [given for number, item in enumerate(context or [], 1) for given in _of_context(number, item)]
    found += _of_parts(request, images=True)
    found += _of_message(request, "The message")
    for message in reversed(list(history)):
        found += _of_parts(message)
        if message.kind == "request":
            found += _of_message(message, "An earlier message")
    once: dict[str, Given] = {}
    for given in found:
        once.setdefault(given.id, given)
    return list(once.values())


def _of_context(number: int, item: Mapping[str, Any]) -> list[Given]:
    content = str(item.get("content") or "").strip()
    title = " ".join(str(item.get("title") or item.get("type") or f"Context {number}").split())
    return [_known(f"context-{number}", title, content)] if content else []


def _of_message(message: Message, title: str) -> list[Given]:
    _, text = topic_and_text(message.text)
    return [_known(f"message-{message.id or 'now'}", title, text)] if text else []


def _of_parts(message: Message, *, images: bool = False) -> list[Given]:
    found = []
    for number, part in enumerate(message.parts):
        if part.hidden:
            continue
        if isinstance(part, FilePart):
            found.append(_file(part, part.name, part.mime_type, part.file_id or f"{message.id}-{number}"))
        elif isinstance(part, DocumentPart) and part.content.strip():
            found.append(_known(part.document_id, part.title or part.document_id, part.content))
        elif images and isinstance(part, ImagePart):
            found.append(_file(part, part.alt or "an image", part.mime_type or "image/*", part.file_id))
    return found


def _known(identity: str, title: str, content: str) -> Given:
    async def read() -> str:
        return content

    return Given(identity, title, "text/plain", read)


def _file(part: MessagePart, name: str, mime_type: str, identity: str) -> Given:
    async def read() -> str:
        if mime_type and not _TEXT_TYPES.match(mime_type):
            raise Unreadable(f"it is no text but {mime_type}")
        return text_of_bytes(await part.read(), mime_type)

    return Given(identity, name or "a file", mime_type or "text/plain", read)


def text_of_bytes(content: bytes, mime_type: str) -> str:
    """A file's words. Raises Unreadable when it is no text, or has none."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
    if _CONTROL.search(text):
        raise Unreadable("its bytes are no text")
    if mime_type in {"text/html", "application/xhtml+xml"}:
        text = _Page.words_of(text)
    if not words_of(text):
        raise Unreadable("it has no words")
    return text


class _Page(HTMLParser):
    """An HTML page's words, its blocks as paragraphs."""

    _BLOCKS = frozenset(
        {"article", "blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "pre", "section"}
        | {"table", "title", "tr", "ul"}
    )
    _SILENT = frozenset({"script", "style", "template"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent = 0

    @classmethod
    def words_of(cls, page: str) -> str:
        reader = cls()
        reader.feed(page)
        reader.close()
        return "".join(reader._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT and self._silent > 0
        self._part(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(data)

    def _part(self, tag: str) -> None:
        if tag in self._BLOCKS:
            self._pieces.append("\n\n")
