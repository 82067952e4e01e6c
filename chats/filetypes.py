"""What a file is, by its bytes; what it may be called; and how it may be handed out. Pure: no Django, no clock, no I/O
but reading the file that is given.

Owns the types that are taken. What a client says of a file counts for nothing but the ending of its name, and that only
among texts, where every ending is harmless.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
import zipfile
from typing import IO

__all__ = ["ACCEPTED", "IMAGES", "clean_name", "kind_of", "type_of"]

IMAGES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
PDF = "application/pdf"
WORD, EXCEL = "application/msword", "application/vnd.ms-excel"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

TEXTS = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".html": "text/html",
    ".htm": "text/html",
    ".xml": "text/xml",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".toml": "application/toml",
}

#: What is taken beside texts, which have as many types as browsers have names for them; SVG is one that they take for
#: an image.
ACCEPTED = (*IMAGES, "image/svg+xml", PDF, WORD, EXCEL, DOCX, XLSX)

LONGEST_NAME = 200  # characters
LONGEST_ENDING = 20
CHUNK = 64 * 1024
PDF_WITHIN = 1024  # bytes: mail programs put lines before it
LONGEST_DIRECTORY = 4 << 20  # bytes of a zip's: each of its entries becomes an object
END_OF_ZIP = b"PK\x05\x06"

_PICTURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")  # Word and Excel until 2003; the names in it are UTF-16
_STREAMS = (("WordDocument".encode("utf-16-le"), WORD), ("Workbook".encode("utf-16-le"), EXCEL))
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # an escape (\x1b) is in every log with colours


def type_of(name: str, file: IO[bytes]) -> str | None:
    """The MIME type, one of ACCEPTED or a text's; None for anything else. `file` is left at its beginning."""
    file.seek(0)
    head = file.read(PDF_WITHIN)
    try:
        return _type_of(name, file, head)
    finally:
        file.seek(0)


def _type_of(name: str, file: IO[bytes], head: bytes) -> str | None:
    for pattern, picture in _PICTURES:
        if pattern.match(head):
            return picture
    if head.startswith(b"PK\x03\x04"):
        return _office_type(file)
    if head.startswith(_COMPOUND):
        return _compound_type(file)
    if b"%PDF-" in head and not _is_text(file, most=1):
        return PDF
    if head.lstrip().startswith(b"%PDF-"):
        return PDF
    return TEXTS.get(_ending_of(name).lower(), "text/plain") if _is_text(file) else None


def _office_type(file: IO[bytes]) -> str | None:
    if not _is_small_zip(file):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    return DOCX if "word/document.xml" in names else XLSX if "xl/workbook.xml" in names else None


def _is_small_zip(file: IO[bytes]) -> bool:
    """Whether what it says of its own directory can be read at all, and in little memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - CHUNK - 22))
    tail = file.read()
    at = tail.rfind(END_OF_ZIP)
    return at >= 0 and int.from_bytes(tail[at + 12 : at + 16], "little") <= LONGEST_DIRECTORY


def _compound_type(file: IO[bytes]) -> str | None:
    file.seek(0)
    before = b""
    while chunk := file.read(CHUNK):
        for stream, kind in _STREAMS:
            if stream in before + chunk:
                return kind
        before = chunk[-max(len(stream) for stream, _ in _STREAMS) :]
    return None


def _is_text(file: IO[bytes], most: int | None = None) -> bool:
    """Whether it is UTF-8 without the characters that only binary files have; `most`: chunks that are looked at."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    count = 0
    try:
        while chunk := file.read(CHUNK):
            if _BINARY.search(decoder.decode(chunk)):
                return False
            count += 1
            if count == most:
                return True
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def kind_of(mime_type: str) -> str:
    """The kind of the part: an image is what every browser draws and nothing can hide in."""
    return "image" if mime_type in IMAGES else "file"


def clean_name(name: str, mime_type: str) -> str:
    """A name to be shown: without folders and without characters that can't be seen or turn the others round."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in last)
    plain = " ".join(visible.split())
    if not plain.strip("."):
        plain = "image" + IMAGES[mime_type] if mime_type in IMAGES else "file"
    if len(plain) <= LONGEST_NAME:
        return plain
    ending = _ending_of(plain)
    return plain[: LONGEST_NAME - len(ending)].rstrip() + ending


def _ending_of(name: str) -> str:
    """With its dot; empty where there is none."""
    _, dot, ending = name.rpartition(".")
    return dot + ending if 0 < len(ending) < LONGEST_ENDING and dot else ""
