"""What waits for the search index is indexed beside everything else the writer does: in small jobs, one after another.

Owns when, the statements, and that no job takes long. What a text's tokens are and what is found by them is
search.py's. Why raw SQL: it cost seven times as much when the ORM compiled its statements for each message.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction

from chats.journal import Journal, JournalStopped
from chats.models import Message, SearchEntry
from chats.ownconnection import is_outage
from chats.search import MESSAGES, TITLES, indexed_tokens
from chats.searchtext import pieces_of, text_of

__all__ = ["Indexing", "index_waiting"]

logger = logging.getLogger(__name__)
Item = TypeVar("Item")

A_JOB = 0.004  # seconds that one takes of the writer's
MOST_READ = 16  # entries at once
MUCH_TEXT = 16_000  # characters of messages' parts, after which no more are read at once
MUCH_FOUND = 1500  # tokens, after which they are written before there are more: the databases' part of the time


class Indexing:
    """Indexes what waits whenever it's told to look; a look while one goes on does nothing. From any thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._busy = False

    def look(self) -> None:
        if not self._busy:
            self._busy = True
            self._submit(index_waiting)

    def _submit(self, job: Callable[[], bool]) -> None:
        try:
            self._journal.write(job).add_done_callback(self._done)
        except JournalStopped:
            self._busy = False  # what waits is in the database: the next process finds it

    def _done(self, indexing: Future[bool]) -> None:
        error = indexing.exception() if not indexing.cancelled() else None
        if isinstance(error, OperationalError | InterfaceError):
            logger.info("Indexing for the search waits for the database (%s).", error)
        elif error is not None and not isinstance(error, JournalStopped):
            logger.error("Indexing for the search failed; trying again.", exc_info=error)
        if error is None and not indexing.cancelled() and indexing.result():
            self._submit(index_waiting)
        else:
            self._busy = False


def index_waiting(seconds: float = A_JOB) -> bool:
    """Indexes what waits, for about so long; whether more may wait. In a transaction of the caller's.

    Oldest first; of long messages the beginnings before the rest, so that none keeps the others waiting.
    """
    batch = _Batch(time.monotonic() + seconds)
    while not batch.is_late():
        waiting = _read_waiting()
        if not waiting:
            return False
        for entry in waiting:
            _index(entry, batch)
            if batch.is_late():
                break
        batch.write()
    return True


# What waits


class _Entry(NamedTuple):
    """What waits, with what its tokens are made of. Keys are as the database has them."""

    id: int
    chat_id: Any
    message_id: Any
    start: int
    owner_id: Any  # None: the chat was erased
    title: str | None
    kind: str | None  # None: no message, or it was erased
    parent_id: Any
    parts: str | None


_READ = """
SELECT entry.id, entry.chat_id, entry.message_id, entry.start,
    chat.owner_id, chat.title, message.kind, message.parent_id, message.parts
FROM chats_searchentry entry
LEFT JOIN chats_chat chat ON chat.id = entry.chat_id
LEFT JOIN chats_message message ON message.id = entry.message_id
"""
_READ_WAITING = _READ + "WHERE entry.tokens IS NULL ORDER BY entry.start, entry.id LIMIT %s"
_READ_LOCKED = _READ + "WHERE entry.id = ANY(%s) ORDER BY entry.start, entry.id"
# The texts are read by a second statement: who changes a title queues it again and waits for this lock, so what is read
# behind the lock is the last title, and what this statement itself reads may be older.
# The limit: a GIN index keeps what is new in a list, and whoever makes that too long sorts it in. With the server's
# limit of 4 MB the writer stood still for 140 ms then; so it is 20, more often.
_LOCK_WAITING = """
SELECT id, (SELECT octet_length(parts) FROM chats_message WHERE id = entry.message_id),
    set_config('gin_pending_list_limit', '64kB', true)
FROM chats_searchentry entry WHERE tokens IS NULL ORDER BY start, id LIMIT %s FOR UPDATE SKIP LOCKED
"""


def _read_waiting() -> list[_Entry]:
    """What is to be indexed next, at most so much as is read in a moment, but for the last of it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_LOCK_WAITING, [MOST_READ])
            keys = list(_until_much((row[0], row[1] or 0) for row in cursor.fetchall()))
            if not keys:
                return []
            cursor.execute(_READ_LOCKED, [keys])
            return [_Entry(*row) for row in cursor.fetchall()]
        # Row by row: SQLite reads no text that isn't asked for.
        cursor.execute(_READ_WAITING, [MOST_READ])
        entries = (_Entry(*row) for row in iter(cursor.fetchone, None))
        return list(_until_much((entry, len(entry.parts or "")) for entry in entries))


def _until_much(sized: Iterable[tuple[Item, int]]) -> Iterator[Item]:
    """The first of these, until the sizes together are MUCH_TEXT."""
    total = 0
    for item, size in sized:
        yield item
        total += size
        if total >= MUCH_TEXT:
            return


# What becomes of it


def _index(entry: _Entry, batch: _Batch) -> None:
    if entry.owner_id is None or (entry.message_id is not None and entry.kind is None):
        batch.drop(entry)
    elif entry.message_id is not None:
        _index_message(entry, batch)
    elif entry.title:
        batch.fill(entry, _tokens_of(entry, TITLES, entry.title))
    else:
        batch.drop(entry)  # a start may give it a title: then the answer's end brings an entry


def _index_message(entry: _Entry, batch: _Batch) -> None:
    if entry.start == 0 and entry.kind == Message.Kind.RESPONSE and entry.parent_id is not None:
        # A start writes a request and a title and queues nothing: that is done here, when its response has ended.
        batch.add(None, entry.chat_id, entry.parent_id)
        batch.add(None, entry.chat_id, None)
    pieces = pieces_of(_text_of(entry), entry.start)
    _, first = next(pieces, (entry.start, ""))
    batch.fill(entry, _tokens_of(entry, MESSAGES, first))
    for start, piece in pieces:
        if batch.is_late():
            batch.add(None, entry.chat_id, entry.message_id, start)  # the rest waits for another job
            return
        batch.add(_tokens_of(entry, MESSAGES, piece), entry.chat_id, entry.message_id, start)


# The border: what can't be indexed, whatever the reason, must not keep all others from being found.
CANT = "The search entry %s can't be indexed; nothing of it will be found."


def _text_of(entry: _Entry) -> str:
    try:
        return text_of(json.loads(entry.parts or "[]"))
    except Exception:
        logger.exception(CANT, entry.id)
        return ""


def _tokens_of(entry: _Entry, phase: str, text: str) -> list[str]:
    try:
        return indexed_tokens(entry.owner_id, entry.chat_id, phase, text)
    except Exception:
        logger.exception(CANT, entry.id)
        return []


# Writing: rows with their tokens first


_FILL = {
    "sqlite": "UPDATE chats_searchentry SET tokens = %s WHERE id = %s",
    "postgresql": """
        UPDATE chats_searchentry entry SET tokens = new.tokens::tsvector
        FROM unnest(%s::text[], %s::bigint[]) AS new(tokens, id) WHERE entry.id = new.id
    """,
}
_ADD = {
    "sqlite": """
        INSERT INTO chats_searchentry (tokens, chat_id, message_id, start) VALUES (%s, %s, %s, %s)
        ON CONFLICT DO NOTHING
    """,
    "postgresql": """
        INSERT INTO chats_searchentry (tokens, chat_id, message_id, start)
        SELECT tokens::tsvector, chat_id, message_id, start
        FROM unnest(%s::text[], %s::uuid[], %s::uuid[], %s::integer[]) AS new(tokens, chat_id, message_id, start)
        ON CONFLICT DO NOTHING
    """,
}


class _Batch:
    """What is to be written, a little at a time, until `deadline` (time.monotonic())."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._begin()

    def _begin(self) -> None:
        self._filled: list[tuple[Any, ...]] = []
        self._added: list[tuple[Any, ...]] = []
        self._gone: list[int] = []
        self._tokens = 0

    def fill(self, entry: _Entry, tokens: list[str]) -> None:
        self._filled.append((_as_stored(tokens), entry.id))
        self._tokens += len(tokens)

    def add(self, tokens: list[str] | None, chat_id: Any, message_id: Any, start: int = 0) -> None:
        """An entry, unless it is there. Without tokens it waits."""
        self._added.append((_as_stored(tokens), chat_id, message_id, start))
        self._tokens += len(tokens or ())

    def drop(self, entry: _Entry) -> None:
        self._gone.append(entry.id)

    def is_late(self) -> bool:
        if self._tokens >= MUCH_FOUND:
            self.write()
        return time.monotonic() > self._deadline

    def write(self) -> None:
        filled, added, gone = self._filled, self._added, self._gone
        self._begin()
        if gone:
            SearchEntry.objects.filter(pk__in=gone).delete()
        if filled or added:
            _write(filled, added)


def _write(filled: Sequence[tuple[Any, ...]], added: Sequence[tuple[Any, ...]]) -> None:
    try:
        with transaction.atomic():
            _execute(_FILL, filled)
            _execute(_ADD, added)
    except Exception as error:
        if is_outage(error):
            raise
        logger.info("Entries of the search index can't be written together; they are written one by one.")
        _write_each(_FILL, filled)
        _write_each(_ADD, added)


def _as_stored(tokens: list[str] | None) -> Any:
    return SearchEntry._meta.get_field("tokens").get_db_prep_save(tokens, connection)


def _execute(statements: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(statements["sqlite"], rows)
        else:  # no executemany: rows.py, Note [no pipeline]
            cursor.execute(statements["postgresql"], [list(column) for column in zip(*rows, strict=True)])


def _write_each(statements: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
    for row in rows:
        try:
            with transaction.atomic():
                _execute(statements, [row])
        except Exception as error:
            if is_outage(error):
                raise
            logger.exception(CANT, row[1:])
            _execute(statements, [(_as_stored([]), *row[1:])])
