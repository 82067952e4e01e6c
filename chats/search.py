"""Searching one's own chats: the index of what was said, and what is found in it.

Owns who finds what: only chats that are `visible_to` the user, and of a message what its owner sees of it. What is to
be found is queued by whoever writes it, in the same transaction (`queue_title`, `queue_responses`), and indexed soon
after (indexing.py). One function asks SQLite's FTS5 or PostgreSQL's full text; snippets and tokens are
searchtext.py's.

Every token begins with a key of its chat's owner: so the cost of a query goes by what this user has written, however
much others have, also of a word that is only begun.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q

from chats.models import UNFINISHED, Chat, Message, SearchEntry
from chats.searchtext import Highlighted, Term, highlight, pieces_of, snippet_of, text_of, tokens_of

if TYPE_CHECKING:
    from workbench.models import User

__all__ = [
    "MESSAGES",
    "TITLES",
    "Found",
    "Hit",
    "Place",
    "find_chats",
    "indexed_tokens",
    "queue_responses",
    "queue_title",
    "rebuild_chat",
]

SCAN_PER_HIT = 4  # entries looked at in one query, for each hit of a page
MOST_SCANS = 10  # for one page; a word that stands everywhere in a few chats gives short pages
TITLES, MESSAGES = "t", "m"
NEWEST = 2**63 - 1


# What is to be found is queued, in the transaction that writes it


def queue_title(chat_id: UUID) -> None:
    """The chat's title is to be indexed, again if it was."""
    if not SearchEntry.objects.filter(chat=chat_id, message=None).update(tokens=None):
        SearchEntry.objects.bulk_create([SearchEntry(chat_id=chat_id)], ignore_conflicts=True)


_QUEUE_RESPONSES = """
INSERT INTO chats_searchentry (chat_id, message_id, start)
SELECT chat_id, id, 0 FROM chats_message WHERE id IN ({places})
ON CONFLICT DO NOTHING
"""


def queue_responses(keys: Sequence[Any]) -> None:
    """These responses, by their keys as the database has them, have ended. Their requests are indexed with them."""
    if not keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE_RESPONSES.format(places=", ".join(["%s"] * len(keys))), list(keys))


def rebuild_chat(chat: Chat) -> None:
    """Takes the chat's entries away and queues all of it again. In a transaction of the caller's."""
    SearchEntry.objects.filter(chat=chat).delete()
    queue_title(chat.pk)
    said = Message.objects.filter(Q(kind=Message.Kind.REQUEST) | ~Q(status__in=UNFINISHED), chat=chat)
    keys = said.order_by("id").values_list("pk", flat=True)
    entries = [SearchEntry(chat_id=chat.pk, message_id=key) for key in keys]
    SearchEntry.objects.bulk_create(entries, ignore_conflicts=True)  # an answer that ends meanwhile queues itself


# What the index holds


def key_of(owner_id: UUID) -> str:
    """What the owner's tokens begin with. Two users may share it: whose a hit is, is asked of the chat."""
    return owner_id.hex[-4:]


def indexed_tokens(owner_id: Any, chat_id: Any, phase: str, text: str) -> list[str]:
    """What the index holds of `text`, a title or a piece of a message: its chat, then its words. Keys may be as the
    database has them."""
    key = key_of(_uuid(owner_id))
    start = key + phase
    return [f"{key}c{_uuid(chat_id).hex}", *[start + token for token in tokens_of(text)]]


# Finding


@dataclass(frozen=True, slots=True)
class Hit:
    """A chat in which the terms were found: in its title, or last in `message`, with the stretch round them."""

    chat: Chat
    title: Highlighted
    message: Message | None = None
    snippet: Highlighted | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: titles come before messages, the newest entry first."""

    phase: str = TITLES
    before: int = NEWEST


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits. `following`: where the next one begins; None where there is none."""

    hits: list[Hit]
    following: Place | None


class _Row(NamedTuple):
    id: int
    chat_id: UUID
    message_id: UUID | None
    start: int


def find_chats(user: User, terms: Sequence[Term], place: Place, limit: int) -> Found:
    """The user's chats whose title, or a message (8,000 characters of one), holds all `terms`; each chat once.

    Looks at a bounded number of entries, so a page may be shorter than `limit` and have a following one.
    """
    if not terms:
        return Found([], None)
    rows, following = _collect(user, terms, place, limit)
    chats = Chat.objects.visible_to(user).in_bulk([row.chat_id for row in rows])
    said = Message.objects.visible_to(user).in_bulk([row.message_id for row in rows if row.message_id])
    shown = [row for row in rows if row.chat_id in chats and (row.message_id is None or row.message_id in said)]
    return Found([_hit(row, chats[row.chat_id], said, terms) for row in shown], following)


def _hit(row: _Row, chat: Chat, said: dict[UUID, Message], terms: Sequence[Term]) -> Hit:
    title = highlight(chat.title, terms)
    message = said.get(row.message_id) if row.message_id else None
    if message is None:
        return Hit(chat, title)
    _, piece = next(pieces_of(text_of(message.parts), row.start), (0, ""))
    return Hit(chat, title, message, snippet_of(piece, terms))


def _collect(user: User, terms: Sequence[Term], begin: Place, limit: int) -> tuple[list[_Row], Place | None]:
    """One row for each chat, in order, and where to go on."""
    place, chosen = begin, dict[UUID, _Row]()
    scan = limit * SCAN_PER_HIT
    for _ in range(MOST_SCANS):
        rows = _scan(user, _all_terms(user, place.phase, terms), before=place.before, limit=scan)
        known = _shown_before(user, terms, begin, place, {row.chat_id for row in rows} - set(chosen))
        for row in rows:
            place = replace(place, before=row.id)
            if row.chat_id not in chosen and row.chat_id not in known:
                chosen[row.chat_id] = row
                if len(chosen) == limit:
                    return list(chosen.values()), place
        if len(rows) < scan:
            if place.phase == MESSAGES:
                return list(chosen.values()), None
            place = Place(MESSAGES)
    return list(chosen.values()), place


def _shown_before(
    user: User, terms: Sequence[Term], begin: Place, place: Place, chat_ids: Collection[UUID]
) -> set[UUID]:
    """Those of the chats that came earlier: by their titles, or by a newer message on a page before."""
    if place.phase == TITLES or not chat_ids:
        return set()
    among = _any([_one(f"{key_of(user.pk)}c{chat_id.hex}") for chat_id in chat_ids])
    known = _scan(user, _all([among, _all_terms(user, TITLES, terms)]), limit=len(chat_ids))
    if begin.phase == MESSAGES and begin.before < NEWEST:
        earlier = _all([among, _all_terms(user, MESSAGES, terms)])
        # Every match counts here, not every chat: the newest come first, and one chat may have many.
        known += _scan(user, earlier, after=begin.before - 1, limit=None)
    return {row.chat_id for row in known}


_SCANS = {
    "sqlite": """
        SELECT entry.id, entry.chat_id, entry.message_id, entry.start
        FROM chats_searchindex CROSS JOIN chats_searchentry entry ON entry.id = chats_searchindex.rowid
        CROSS JOIN chats_chat chat ON chat.id = entry.chat_id
        WHERE chats_searchindex MATCH %s AND chats_searchindex.rowid < %s AND chats_searchindex.rowid > %s
            AND chat.owner_id = %s AND chat.status <> %s
        ORDER BY chats_searchindex.rowid DESC LIMIT %s
    """,
    "postgresql": """
        SELECT entry.id, entry.chat_id, entry.message_id, entry.start
        FROM chats_searchentry entry JOIN chats_chat chat ON chat.id = entry.chat_id
        WHERE entry.tokens @@ %s::tsquery AND entry.id < %s AND entry.id > %s
            AND chat.owner_id = %s AND chat.status <> %s
        ORDER BY entry.id DESC LIMIT %s
    """,
}


def _scan(user: User, query: str, *, before: int = NEWEST, after: int = -1, limit: int | None) -> list[_Row]:
    """The entries of the user's chats that `query` matches, with ids between `after` and `before`, newest first."""
    owner = Chat._meta.get_field("owner").get_db_prep_value(user.pk, connection)
    most = NEWEST if limit is None else limit
    with connection.cursor() as cursor:
        cursor.execute(_SCANS[connection.vendor], [query, before, after, owner, Chat.State.DELETED.value, most])
        return [_Row(row[0], _uuid(row[1]), _uuid(row[2]) if row[2] else None, row[3]) for row in cursor.fetchall()]


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


# The databases' query languages. Tokens are letters, digits and “_” only; still each is quoted, so that none is a word
# of the language.


def _all_terms(user: User, phase: str, terms: Sequence[Term]) -> str:
    """All the terms, in titles or in messages of the user's."""
    start = key_of(user.pk) + phase
    return _all([_phrase([start + token for token in term.tokens]) for term in terms])


def _phrase(tokens: Sequence[str]) -> str:
    """The tokens one after the other, the last perhaps only begun."""
    if connection.vendor == "postgresql":
        return "(" + " <-> ".join(f"'{token}'" for token in tokens) + ":*)"
    return '("' + " ".join(tokens) + '" *)'


def _one(token: str) -> str:
    return f"'{token}'" if connection.vendor == "postgresql" else f'"{token}"'


def _all(queries: Iterable[str]) -> str:
    return "(" + (" & " if connection.vendor == "postgresql" else " AND ").join(queries) + ")"


def _any(queries: Iterable[str]) -> str:
    return "(" + (" | " if connection.vendor == "postgresql" else " OR ").join(queries) + ")"
