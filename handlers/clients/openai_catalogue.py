"""Which models a server has, as it says itself.

Owns when it is asked: in a thread, every few minutes, and never by whoever wants to know. On an event loop that is
told what is known so far; a thread waits a moment for the first answer. What went wrong is for the log, once for each
change: everybody reads the reasons, and a server's words name hosts and more.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

from handlers.clients.failures import CallFailed

logger = logging.getLogger(__name__)

FRESH = 300.0  # seconds that a list is taken for true
ASK_AGAIN = 30.0  # seconds after which a server that gave none is asked again
PATIENCE = 1.0  # seconds that a thread waits for the first list
NOT_YET = "The server's list of models is being fetched."
KEY_REFUSED = "The server refuses the key in OPENAI_API_KEY, or wants one."
NO_LIST = "The server doesn't list its models. They can be named in WORKBENCH_OPENAI_MODELS."
AWAY = "The server can't be reached at the moment."


class ModelCatalogue:
    """One process's knowledge of its server's models. `fetch` asks the server; it blocks, and raises CallFailed."""

    def __init__(self, fetch: Callable[[], list[dict[str, Any]]]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._server: tuple[str, str] | None = None
        self._models: list[dict[str, Any]] = []
        self._reason: str | None = None
        self._logged = ""  # the failure that the log has last, until a list comes
        self._due_at = float("-inf")

    def known(self) -> tuple[list[dict[str, Any]], str | None]:
        """The models last listed (OpenAI's model objects), and why the server's can't be used now, if they can't."""
        done = self._ask_if_due()
        if not _on_event_loop():
            done.wait(PATIENCE)
        with self._lock:
            return list(self._models), self._reason

    def _ask_if_due(self) -> threading.Event:
        server = (settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY)
        with self._lock:
            if server != self._server:
                self._server, self._due_at, self._done = server, float("-inf"), threading.Event()
                self._models, self._reason = [], NOT_YET
            if time.monotonic() >= self._due_at:
                self._due_at = time.monotonic() + ASK_AGAIN
                threading.Thread(target=self._ask, args=(self._done,), name="openai-models", daemon=True).start()
            return self._done

    def _ask(self, done: threading.Event) -> None:
        try:
            models, reason, words = self._fetch(), None, ""
        except CallFailed as failure:
            models, reason, words = [], _reason_of(failure), str(failure)
        with self._lock:
            if done is self._done:
                self._log(words)
                self._models = self._models if reason else models
                self._reason = reason
                self._due_at = time.monotonic() + (ASK_AGAIN if reason else FRESH)
        done.set()

    def _log(self, words: str) -> None:
        if words and words != self._logged:
            logger.warning("The models of OPENAI_BASE_URL can't be listed: %s", words)
        self._logged = words


def _reason_of(failure: CallFailed) -> str:
    if failure.status in (401, 403):
        return KEY_REFUSED
    return NO_LIST if failure.kind == "refused" else AWAY


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
