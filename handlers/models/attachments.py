"""How an attachment is told to a model: as an image, a document or a text, else as a note that says why not.

Owns what models take (types, sizes, how many at once) and the words for what they don't, for the model and for people.
"""

import re
from dataclasses import dataclass

from handlers.errors import AttachmentError
from handlers.messages import FilePart, ImagePart, MessagePart, is_text_type
from handlers.models.budget import BYTES_A_TOKEN
from handlers.models.history import context_text
from handlers.models.repair import MOST_DOCUMENTS, MOST_IMAGES
from handlers.models.seam import ContentBlock, ModelDescription

__all__ = ["DOCUMENT_FORMATS", "IMAGE_FORMATS", "AttachmentTeller", "Untold", "attachment_note", "parse_note"]

IMAGE_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENT_FORMATS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
LARGEST_IMAGE = 3_750_000  # bytes
LARGEST_DOCUMENT = 4_500_000
NO_BOUND = 1 << 40  # tokens
LARGEST_TEXT = 60 << 20  # what is too long for the model is cut

_NOTE = re.compile(r"(?s)\(The user attached (“.*”[^”]*), which (.*)\.\)")


@dataclass(frozen=True)
class _Reason:
    """Why a model isn't given an attachment, or not all of it: in a clause for the model, and in one for people."""

    clause: str
    words: str
    whole: bool = True


UNSEEN = _Reason("this model can't see", "it can't see images like this one")
UNREAD = _Reason("this model can't read", "it can't read files of this type")
LARGE = _Reason("is too large for this model", "the file is too large for it")
GONE = _Reason("can't be read any more", "the file isn't there any more")
EMPTY = _Reason("is empty", "the file is empty")
MANY = _Reason("is one too many for this model", "it takes no more of them in one message")
CUT = _Reason("goes on, but is too long for this model", "it can't read more", whole=False)


@dataclass(frozen=True)
class Untold:
    """An attachment that the model wasn't given."""

    name: str
    reason: _Reason

    @property
    def words(self) -> str:
        """For people, a sentence."""
        given = "wasn't given" if self.reason.whole else "was given only the beginning of"
        return f"The model {given} “{self.name}”: {self.reason.words}."


class AttachmentTeller:
    """Tells the attachments of one message. `untold` are those that the model isn't given, or not whole.

    `room`: tokens for its texts, which are cut there; how long images and documents are to a model nobody knows before
    it says so. With 0 nothing is given.
    """

    def __init__(self, model: ModelDescription, room: int | None = None) -> None:
        self._accepts = frozenset(model.accepts)
        self._room = NO_BOUND if room is None else room
        self._images = self._documents = 0
        self.untold: list[Untold] = []

    async def blocks(self, part: MessagePart) -> list[ContentBlock]:
        """What is told of a part; nothing of one that is no attachment. Its bytes are read here."""
        if not isinstance(part, ImagePart | FilePart):
            return []
        told = await (self._image(part) if _is_picture(part) else self._file(part))
        if isinstance(told, list):
            return told
        self.untold.append(Untold(_name_of(part), told))
        return [{"text": attachment_note(_name_of(part), part.mime_type, part.size, told.clause)}]

    async def _image(self, part: ImagePart | FilePart) -> list[ContentBlock] | _Reason:
        image_format = IMAGE_FORMATS.get(part.mime_type)
        if image_format is None or "image" not in self._accepts:
            return UNSEEN
        if self._images == MOST_IMAGES:
            return MANY
        if not self._room:
            return LARGE
        content = await _read(part, LARGEST_IMAGE)
        if isinstance(content, _Reason):
            return content
        self._images += 1
        image: ContentBlock = {"image": {"format": image_format, "source": {"bytes": content}}}
        return [{"text": f"Image “{part.name}”:"}, image] if part.name else [image]

    async def _file(self, part: ImagePart | FilePart) -> list[ContentBlock] | _Reason:
        is_text = is_text_type(part.mime_type)
        document_format = DOCUMENT_FORMATS.get(part.mime_type, "txt" if is_text else "")
        as_document = "document" in self._accepts and document_format != ""
        if as_document and self._documents == MOST_DOCUMENTS:
            if not is_text:
                return MANY
            as_document = False
        if not as_document and not is_text:
            return UNREAD
        content = await _read(part, LARGEST_TEXT if is_text else LARGEST_DOCUMENT)
        if isinstance(content, _Reason):
            return content
        is_long = is_text and len(content) > min(LARGEST_DOCUMENT, self._bytes_left)
        if is_text and (is_long or not as_document):
            return self._text(part, content)
        if not self._room:
            return LARGE
        self._documents += 1
        if is_text:
            self._room -= int(len(content) / BYTES_A_TOKEN)
        document = {"format": document_format, "name": _bare(_name_of(part)), "source": {"bytes": content}}
        return [{"document": document}]

    @property
    def _bytes_left(self) -> int:
        return int(self._room * BYTES_A_TOKEN)

    def _text(self, part: ImagePart | FilePart, content: bytes) -> list[ContentBlock] | _Reason:
        """As much of a text as there is room for."""
        most = min(len(content), self._bytes_left)
        text = context_text({"title": _name_of(part), "content": content[:most].decode("utf-8-sig", "replace")})
        if not text:
            return EMPTY if most == len(content) else LARGE
        self._room -= int(most / BYTES_A_TOKEN)
        if most == len(content):
            return [{"text": text}]
        self.untold.append(Untold(_name_of(part), CUT))
        return [{"text": text}, {"text": attachment_note(_name_of(part), part.mime_type, part.size, CUT.clause)}]


def attachment_note(name: str, mime_type: str, size: int, clause: str) -> str:
    """What stands in an attachment's place. `size` in bytes, 0 where it isn't known."""
    facts = ", ".join(fact for fact in (mime_type, _in_words(size)) if fact)
    return f"(The user attached “{name}”{f' ({facts})' if facts else ''}, which {clause}.)"


def parse_note(text: str) -> str | None:
    """Of a text that `attachment_note` made, which attachment it is and why it isn't told; None for any other text."""
    match = _NOTE.fullmatch(text)
    return f"{match[1]}, which {match[2]}" if match else None


def _is_picture(part: ImagePart | FilePart) -> bool:
    return isinstance(part, ImagePart) or part.mime_type in IMAGE_FORMATS


def _name_of(part: ImagePart | FilePart) -> str:
    if isinstance(part, ImagePart):
        return part.name or part.alt or "an image"
    return part.name or "a file"


async def _read(part: ImagePart | FilePart, largest: int) -> bytes | _Reason:
    """The attachment's bytes, or why they can't be given."""
    if part.size > largest:
        return LARGE
    try:
        content = await part.read()
    except AttachmentError:
        return GONE
    if not content:
        return EMPTY
    return content if len(content) <= largest else LARGE


def _in_words(size: int) -> str:
    if size < 1_000:
        return f"{size} bytes" if size else ""
    return f"{size / 1_000:,.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"


def _bare(name: str) -> str:
    return re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name) or name
