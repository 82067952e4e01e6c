"""What waits for the search index is indexed beside everything else the writer does: in small jobs, one after another.

Knows when; what and how is search.py's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future

from django.db import InterfaceError, OperationalError

from chats.journal import Journal, JournalStopped
from chats.search import index_waiting

__all__ = ["Indexing"]

logger = logging.getLogger(__name__)


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
