"""Titles that a model writes for chats, after their first answered question.

Owns which chats get one, and that nothing else waits for it: it is written on a loop of its own, so many at once,
and given up at stop; whatever goes wrong, the chat keeps its first words. What a model is told and what is made of
its words is handlers.models.titling's. A title never replaces one that a user gave.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chats import reading
from chats.hub import Hub
from chats.logcontext import context_of
from chats.loops import HandlerLoop
from chats.metrics import TITLE_TOKENS, TITLES, error_label
from chats.models import Chat, Message, Status
from chats.pools import QueryPool
from chats.protocol import DoorError, encode_frame
from chats.runner import RunFacts
from chats.search import queue_title
from handlers.errors import ModelError
from handlers.models import providers
from handlers.models.titling import Title, may_title, write_title
from handlers.registry import registry

__all__ = ["TitleWriter"]

logger = logging.getLogger(__name__)

AT_ONCE = 4
MOST_WAITING = 100  # more are left with their first words
PATIENCE = 30.0  # seconds that a model gets
STOP_PATIENCE = 1.0

Write = Callable[..., Future[Any]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a title is made of, as the chat's owner sees it."""

    question: str
    answer: str


class TitleWriter:
    """Writes titles until it is stopped. `write(job, *args)` runs a job in a transaction of the journal's thread."""

    def __init__(self, queries: QueryPool, hub: Hub, write: Write) -> None:
        self._queries = queries
        self._hub = hub
        self._write_job = write
        self._lock = threading.Lock()
        self._loop: HandlerLoop | None = None
        self._places = asyncio.Semaphore(AT_ONCE)
        self.waiting = 0  # being written, or in the queue
        self._stopped = False

    def offer(self, facts: RunFacts) -> None:
        """A run has ended well: its chat may want a title. From any thread; only takes note."""
        model_id = settings.WORKBENCH_TITLE_MODEL or facts.model_id
        if not settings.WORKBENCH_TITLES or not may_title(model_id):
            return
        with self._lock:
            if self._stopped or self.waiting >= MOST_WAITING:
                return
            try:
                self._loop = self._loop or HandlerLoop("titles")
            except RuntimeError:
                logger.warning("No thread can be had for titles; chats keep their first words.")
                return
            self.waiting += 1
            self._loop.spawn(self._write(facts, model_id), context_of(facts), self._begun)

    def stop(self) -> None:
        """Gives up what isn't written yet."""
        with self._lock:
            self._stopped, loop, self._loop = True, self._loop, None
        if loop is not None and not loop.stop(STOP_PATIENCE):
            logger.warning("The titles' thread doesn't end; it is left behind.")

    # On the loop

    def _begun(self, task: asyncio.Task[None]) -> None:
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        with self._lock:
            self.waiting -= 1
        if not task.cancelled() and task.exception() is not None:
            logger.warning("A title couldn't be written; the chat keeps its first words.", exc_info=task.exception())

    async def _write(self, facts: RunFacts, model_id: str) -> None:
        async with self._places:
            exchange = await self._queries.run(find_exchange, facts, model_id)
            if exchange is None:
                return
            title = await _ask(model_id, exchange)
            if title.text:
                with suppress(DoorError):  # the server stops
                    await asyncio.wrap_future(self._write_job(self._store, UUID(facts.chat_id), title.text))

    # In the journal's thread

    def _store(self, chat_id: UUID, title: str) -> None:
        """Keeps the title unless the chat has got another meanwhile, and tells its owner's sockets."""
        changed = _untitled(chat_id).update(title=title, title_source=Chat.TitleSource.AUTO, updated_at=timezone.now())
        if not changed:
            return
        queue_title(chat_id)
        chat = Chat.objects.get(pk=chat_id)
        frame = encode_frame("chat", change="updated", chat=reading.represent_chats([chat])[0])
        transaction.on_commit(partial(self._hub.notify, chat.owner_id, frame), robust=True)


async def _ask(model_id: str, exchange: Exchange) -> Title:
    """The model's title; an empty one where it gave none, and why is counted."""
    try:
        async with asyncio.timeout(PATIENCE):
            title = await write_title(providers, model_id, exchange.question, exchange.answer)
    except (ModelError, TimeoutError) as error:
        logger.info("No title by %s (%s); the chat keeps its first words.", model_id, error)
        TITLES.labels(error_label(error.error_type) if isinstance(error, ModelError) else "timeout").inc()
        return Title(text="")
    TITLES.labels("written" if title.text else "empty").inc()
    for kind, name in (("input", "inputTokens"), ("output", "outputTokens")):
        TITLE_TOKENS.labels(kind).inc(title.usage.get(name, 0))
    return title


# In a thread of the queries


def find_exchange(facts: RunFacts, model_id: str) -> Exchange | None:
    """The chat's first answered question, if this run's is that and the chat has no title yet."""
    if not settings.WORKBENCH_TITLE_MODEL and model_id not in registry.get(facts.task).handler_class.model_ids():
        return None  # a handler that offers no such model hasn't asked it, and mayn't want its text to go there
    if not _untitled(UUID(facts.chat_id)).exists():
        return None
    answers = Message.objects.filter(
        chat=UUID(facts.chat_id), kind=Message.Kind.RESPONSE, status=Status.COMPLETED
    ).order_by("id")
    first = answers.select_related("parent").first()
    if first is None or str(first.pk) != facts.response_id or first.parent is None:
        return None
    exchange = Exchange(_text_of(first.parent), _text_of(first))
    return exchange if exchange.question else None


def _untitled(chat_id: UUID) -> Any:
    chats = Chat.objects.filter(pk=chat_id, title_source=Chat.TitleSource.FIRST_WORDS)
    return chats.exclude(status=Chat.State.DELETED)


def _text_of(message: Message) -> str:
    """What its owner sees of it: hidden content stays out of titles. What is only attached has its name."""
    text = "\n\n".join(part["content"] for part in message.parts if part["kind"] == "text").strip()
    return text or "\n".join(part["name"] for part in message.parts if part.get("name"))
