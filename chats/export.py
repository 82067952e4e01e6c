"""A chat's transcript as a stream of text, page by page, so that a long one is never whole in memory.

Owns which messages go in: what its owner sees, of the whole tree or of one branch. How it looks is exportformats.py's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

from chats import reading
from chats.engine import get_engine
from chats.exportformats import Format
from chats.models import Chat, Message

__all__ = ["export_chat"]

MESSAGES_A_PAGE = 50


async def export_chat(chat: Chat, form: Format, leaf: Message | None) -> AsyncGenerator[str, None]:
    """The file's text. `leaf`: the branch that ends there; without one all messages, in the order of their making."""
    queries = get_engine().queries
    shown = await queries.run(reading.represent_chats, [chat])
    yield form.head(shown[0])
    ids = await queries.run(_ids_of, chat, leaf)
    for start in range(0, len(ids), MESSAGES_A_PAGE):
        messages = await queries.run(_page_of, ids[start : start + MESSAGES_A_PAGE])
        yield "".join(form.message(message, start + place == 0) for place, message in enumerate(messages))
    if form.tail:
        yield form.tail


def _ids_of(chat: Chat, leaf: Message | None) -> list[UUID]:
    if leaf is not None:
        return reading.branch_ids(leaf)
    return list(reading.messages_of(chat).values_list("pk", flat=True))


def _page_of(ids: Sequence[UUID]) -> list[dict[str, Any]]:
    found = Message.objects.in_bulk(ids)
    return reading.represent_messages([found[message_id] for message_id in ids if message_id in found])
