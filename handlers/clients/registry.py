"""Clients by name: registered in one line, made when first asked for, one for each process."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handlers.errors import ClientUnavailable
from handlers.injection import AVAILABLE, Availability, unavailable

logger = logging.getLogger(__name__)

SUFFIX = "_client"


@dataclass(frozen=True, slots=True)
class _Registration:
    factory: Callable[[], Any]
    missing: Callable[[], str | None]


class ClientRegistry:
    """The clients of one process. Safe to use from any thread."""

    def __init__(self) -> None:
        self._registered: dict[str, _Registration] = {}
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()

    def register(
        self, name: str, factory: Callable[[], Any], *, missing: Callable[[], str | None] = lambda: None
    ) -> None:
        """Offer a client: a handler's constructor asks for it as `<name>_client`, or as `name`.

        `factory` makes it when it is first needed. `missing` says what it lacks to be used (a setting, say), or
        None; it is asked often, so it must be quick and never reach out. Raises ValueError for a taken name.
        """
        if not name.isidentifier():
            raise ValueError(f"{name!r} can't be a client's name: a constructor couldn't have it as a parameter.")
        with self._lock:
            if name in self._registered:
                raise ValueError(f"A client named {name!r} is registered already.")
            self._registered[name] = _Registration(factory, missing)

    def unregister(self, name: str) -> None:
        """Take a client away; for tests."""
        with self._lock:
            self._registered.pop(name, None)
            self._made.pop(name, None)

    def names(self) -> list[str]:
        """All clients' names, available or not."""
        return list(self._registered)

    def find_name(self, parameter: str) -> str | None:
        """The client that a constructor's parameter asks for; None when there is none."""
        names = (parameter, parameter.removesuffix(SUFFIX))
        return next((name for name in names if name in self._registered), None)

    def availability(self, name: str) -> Availability:
        """Whether the client is configured. That its server answers is seen when it is used."""
        registered = self._registered.get(name)
        reason = registered.missing() if registered else f"No client named {name} is registered."
        return unavailable(reason) if reason else AVAILABLE

    def get(self, name: str) -> Any:
        """The client, made at the first call. Raises ClientUnavailable; a failed factory is tried again next time."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    # --- health, and the end

    async def check_health(self, patience: float = 10.0) -> dict[str, Availability]:
        """Whether each configured client's service answers, asked of all at the same time.

        A client takes part by a blocking `check_health()` that raises ClientUnavailable. One that isn't configured
        is left out; one that takes longer than `patience` seconds counts as not answering.
        """
        names = [name for name in self.names() if self.availability(name).available]
        found = await asyncio.gather(*(self._health_of(name, patience) for name in names))
        return dict(zip(names, found, strict=True))

    async def _health_of(self, name: str, patience: float) -> Availability:
        check = getattr(await asyncio.to_thread(self.get, name), "check_health", None)
        if check is None:
            return AVAILABLE
        try:
            async with asyncio.timeout(patience):
                await asyncio.to_thread(check)
        except TimeoutError:
            return unavailable(f"It didn't answer within {patience:g} seconds.")
        except ClientUnavailable as error:
            return unavailable(error.reason)
        return AVAILABLE

    def close_all(self) -> None:
        """Close every client that was made (those with a `close`); what is asked for afterwards is made anew.

        At shutdown, when no handler runs any more. A client that fails to close is logged.
        """
        with self._lock:
            made, self._made = self._made, {}
        for name, client in made.items():
            close = getattr(client, "close", None)
            if close is None:
                continue
            try:
                close()
            except Exception:  # a project's own client may raise anything, and the others are to be closed
                logger.exception("Client %s can't be closed", name)

    async def close_loop(self) -> None:
        """Close what clients keep for the running event loop (those with a `close_loop`), before the loop ends."""
        with self._lock:
            made = dict(self._made)
        for name, client in made.items():
            close_loop = getattr(client, "close_loop", None)
            if close_loop is None:
                continue
            try:
                await close_loop()
            except Exception:
                logger.exception("Client %s can't be closed on its loop", name)

    def _make(self, name: str) -> Any:
        availability = self.availability(name)
        if not availability.available:
            raise ClientUnavailable(name, availability.reason or "")
        try:
            return self._registered[name].factory()
        except Exception as error:
            logger.exception("Client %s can't be made", name)
            raise ClientUnavailable(
                name, f"it can't be made ({type(error).__name__}); the log has the details."
            ) from error
