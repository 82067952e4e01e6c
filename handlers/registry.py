"""Every handler by name: who may use it, whether it can run, and a fresh instance for each run.

Owns registration, and the instances' making. Reads HandlerConfig rows, so everything that takes a row is synchronous
database code: call it from a thread. Knows nothing of particular clients (handlers.clients binds them).
"""

import copy
import hashlib
import inspect
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from pydantic import BaseModel

from handlers.base import BaseTaskHandler, read_attribute, read_name, require_handler_class
from handlers.config import effective_config, env_key, hash_of, parse_user_options
from handlers.errors import ClientUnavailable, HandlerUnavailable, InvalidOptions, UnknownHandler
from handlers.injection import (
    AVAILABLE,
    Availability,
    ClientSource,
    NoClients,
    constructor_arguments,
    missing_reason,
    unavailable,
)
from handlers.loading import LoadProblem, load_handlers

if TYPE_CHECKING:
    from handlers.config_store import HandlerConfig

logger = logging.getLogger(__name__)

TURNED_OFF = "An administrator has turned it off."
MISCONFIGURED = "Its configuration isn't right; the log and the admin say what is wrong."


@dataclass(frozen=True)
class HandlerEntry:
    """A registered handler, as it was when it was registered.

    `label`: what people read, unless an administrator set another one. `version`: the handler's own, else a hash of
    its module's source, else "unknown". `cooperative`: it promises never to block its event loop. `prototype`: the
    instance, when one was registered. `source`: where it was named.
    """

    name: str
    description: str
    label: str
    version: str
    cooperative: bool
    handler_class: type[BaseTaskHandler]
    prototype: BaseTaskHandler | None = field(default=None, repr=False)
    source: str = "code"

    @cached_property
    def options_schema(self) -> dict[str, Any]:
        """JSON Schema of what a user may set; empty when there is nothing."""
        options_class = self.handler_class.UserOptions
        return options_class.model_json_schema() if options_class else {}


@dataclass(frozen=True, slots=True)
class UsableHandler:
    """A handler as one start found it: the hash of the configuration that is used, and the administrator's row."""

    name: str
    config_hash: str
    row: "HandlerConfig | None" = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandlerDescription:
    """A handler as a user sees it: the API's handler object, field by field."""

    name: str
    label: str
    description: str
    available: bool
    reason: str | None
    default: bool
    models: list[str]
    options_schema: dict[str, Any]


class TaskHandlerRegistry:
    """The handlers of one process. `clients` is where their constructors' clients come from."""

    def __init__(self, clients: ClientSource | None = None) -> None:
        self.clients: ClientSource = clients or NoClients()
        self._entries: dict[str, HandlerEntry] = {}
        self._problems: list[LoadProblem] = []
        self._constructed: dict[str, str] = {}
        self._logged: dict[str, str] = {}  # name → why it isn't available, as the log has it last
        self._lock = threading.Lock()
        # Apart from the other: importing a handler's module may wait for a thread that is registering.
        self._load_lock = threading.RLock()
        self._loading = self._loaded = False

    # --- registering

    def register(self, handler: type[BaseTaskHandler] | BaseTaskHandler, source: str = "code") -> HandlerEntry:
        """Add a handler class, or an instance, which is then copied (shallowly) for each run.

        Raises TypeError when it can't work as a handler, ValueError when its name is taken.
        """
        prototype = handler if isinstance(handler, BaseTaskHandler) else None
        handler_class: Any = handler if prototype is None else type(prototype)
        require_handler_class(handler_class)
        name = read_name(handler)
        entry = HandlerEntry(
            name=name,
            description=read_attribute(handler, "description", str),
            label=read_attribute(handler, "label", str) or re.sub("[_-]", " ", name).capitalize(),
            version=read_attribute(handler, "version", str)[:100] or _source_hash(handler_class),
            cooperative=read_attribute(handler, "cooperative", bool),
            handler_class=handler_class,
            prototype=prototype,
            source=source,
        )
        with self._lock:
            taken = next((other for other in self._entries.values() if env_key(other.name) == env_key(name)), None)
            if taken is not None:
                raise ValueError(
                    f"{handler_class.__qualname__}: the name {name!r} is taken by "
                    f"{taken.handler_class.__module__}.{taken.handler_class.__qualname__} ({taken.source})."
                )
            self._entries[name] = entry
        return entry

    def unregister(self, name: str) -> None:
        """Take a handler away; for tests."""
        with self._lock:
            self._entries.pop(name, None)
            self._constructed.pop(name, None)
            self._logged.pop(name, None)

    def load(self) -> list[LoadProblem]:
        """Register what settings, environment and entry points name, once; gives what was refused."""
        with self._load_lock:
            if not self._loaded and not self._loading:
                self._loading = True
                try:
                    self._problems = load_handlers(self._register_once)
                finally:
                    self._loading = False
                self._loaded = True
                self._log_unavailable()
            return list(self._problems)

    def _log_unavailable(self) -> None:
        for entry in self._entries.values():
            availability = self._availability(entry, None)
            if not availability.available and not availability.detail:
                logger.warning("Handler %s isn't available: %s", entry.name, availability.reason)

    def _register_once(self, handler: Any, source: str) -> None:
        if not any(handler in (entry.handler_class, entry.prototype) for entry in self._entries.values()):
            self.register(handler, source)

    def reset(self) -> None:
        """Forget everything but the clients; the next look-up loads again. For tests."""
        with self._load_lock, self._lock:
            self._entries.clear()
            self._constructed.clear()
            self._logged.clear()
            self._problems = []
            self._loaded = False

    # --- looking up, without the database

    def entries(self) -> list[HandlerEntry]:
        """All handlers, in the order of their registration."""
        self._ensure_loaded()
        return list(self._entries.values())

    def names(self) -> list[str]:
        """All handlers' names."""
        return [entry.name for entry in self.entries()]

    def get(self, name: str) -> HandlerEntry:
        """The handler of this name. Raises UnknownHandler."""
        self._ensure_loaded()
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownHandler(name) from None

    def version_of(self, name: str) -> str:
        """The version of the handler's code."""
        return self.get(name).version

    def parse_options(self, name: str, raw: Mapping[str, Any] | None) -> BaseModel | None:
        """A user's options as the handler's `UserOptions`. Raises InvalidOptions, UnknownHandler."""
        return parse_user_options(self.get(name).handler_class, raw)

    def _ensure_loaded(self) -> None:
        if not self._loaded:
            self.load()

    # --- with the admin's row, read afresh each time

    def availability(self, name: str) -> Availability:
        """Whether the handler can run now. Raises UnknownHandler."""
        return self._availability(self.get(name), _row_of(name))

    def availability_without_database(self, name: str) -> Availability:
        """The same as settings and environment alone have it; for checks that run before the tables exist."""
        return self._availability(self.get(name), None)

    def find_usable(self, user: Any, name: str) -> UsableHandler:
        """The handler of this name as the user's next run gets it, by one look at its row.

        Raises UnknownHandler, also where it isn't for this user, or HandlerUnavailable with the reason.
        """
        entry, row = self.get(name), _row_of(name)
        if not _is_for(user, row):
            raise UnknownHandler(name)
        availability = self._availability(entry, row)
        if not availability.available:
            raise HandlerUnavailable(name, availability.reason or "", detail=availability.detail)
        return UsableHandler(name, hash_of(_config_of(entry, row)), row)

    def build_found(self, found: UsableHandler) -> BaseTaskHandler:
        """`build`, as it was found: what an administrator has changed since holds from the next run on."""
        return self._build(self.get(found.name), found.row)

    def build(self, name: str) -> BaseTaskHandler:
        """A fresh handler for one run, with its clients, its typed config and the config's hash.

        Raises UnknownHandler, or HandlerUnavailable with the reason.
        """
        return self._build(self.get(name), _row_of(name))

    def default_name(self) -> str:
        """The task of a new chat that names none: the admin's choice, else WORKBENCH_DEFAULT_TASK."""
        chosen = _rows().filter(default=True).values_list("name", flat=True).first()
        return chosen if chosen in self.names() else settings.WORKBENCH_DEFAULT_TASK

    # --- for a user

    def entries_for(self, user: Any) -> list[HandlerEntry]:
        """The handlers that this user may use, available or not. A superuser may use all."""
        allowed = self._allowed(user)
        return [entry for entry in self.entries() if entry.name in allowed]

    def describe_for(self, user: Any) -> list[HandlerDescription]:
        """The handlers that this user may use, as the API shows them."""
        rows = {row.name: row for row in _rows()}
        default = self.default_name()
        return [self._describe(entry, rows.get(entry.name), default) for entry in self.entries_for(user)]

    def _allowed(self, user: Any) -> set[str]:
        names = set(self.names())
        if user.is_superuser:
            return names
        restricted: dict[str, set[int]] = {}
        for name, group in _rows().filter(groups__isnull=False).values_list("name", "groups"):
            restricted.setdefault(name, set()).add(group)
        mine = set(user.groups.values_list("pk", flat=True)) if restricted else set()
        return {name for name in names if name not in restricted or restricted[name] & mine}

    def _describe(self, entry: HandlerEntry, row: "HandlerConfig | None", default: str) -> HandlerDescription:
        availability = self._availability(entry, row)
        return HandlerDescription(
            name=entry.name,
            label=(row.label if row else "") or entry.label,
            description=entry.description,
            available=availability.available,
            reason=availability.reason,
            default=entry.name == default,
            models=entry.handler_class.model_ids(),
            options_schema=entry.options_schema,
        )

    # --- making

    def _availability(self, entry: HandlerEntry, row: "HandlerConfig | None") -> Availability:
        try:
            config = self._require_ready(entry, row)
            if self._constructed.get(entry.name) != hash_of(config):
                self._construct(entry, config)
            self._logged.pop(entry.name, None)
        except HandlerUnavailable as error:
            return unavailable(error.reason, error.detail)
        return AVAILABLE

    def _build(self, entry: HandlerEntry, row: "HandlerConfig | None") -> BaseTaskHandler:
        config = self._require_ready(entry, row)
        handler = self._construct(entry, config)
        handler.config_hash = hash_of(config)
        return handler

    def _require_ready(self, entry: HandlerEntry, row: "HandlerConfig | None") -> BaseModel | None:
        """The handler's config; raises HandlerUnavailable when it is off, badly configured or lacks a client."""
        if row is not None and not row.enabled:
            raise HandlerUnavailable(entry.name, TURNED_OFF)
        try:
            config = _config_of(entry, row)
        except InvalidOptions as error:
            self._log_once(entry.name, error.message)
            # In a validator's own words anything may stand: they aren't for every user.
            raise HandlerUnavailable(entry.name, MISCONFIGURED, detail=error.message) from error
        missing = None if entry.prototype else missing_reason(entry.handler_class, self.clients)
        if missing:
            raise HandlerUnavailable(entry.name, missing)
        return config

    def _log_once(self, name: str, words: str, error: BaseException | None = None) -> None:
        """Once for each change: it is looked at all the time."""
        if self._logged.get(name) != words:
            self._logged[name] = words
            logger.warning("Handler %s isn't available: %s", name, words, exc_info=error)

    def _construct(self, entry: HandlerEntry, config: BaseModel | None) -> BaseTaskHandler:
        """Call the constructor. That it worked with this config is remembered: `availability` needn't try again."""
        try:
            handler = self._instance(entry, config)
        except ClientUnavailable as error:
            raise HandlerUnavailable(entry.name, f"It needs the client {error.name}: {error.reason}") from error
        except BaseException as error:
            # The border: it is an author's code, which may even try to exit.
            self._constructed.pop(entry.name, None)
            self._log_once(entry.name, f"its constructor raised {type(error).__name__}", error)
            reason = f"Its constructor failed ({type(error).__name__}); the log has the details."
            raise HandlerUnavailable(entry.name, reason) from error
        self._constructed[entry.name] = hash_of(config)
        self._logged.pop(entry.name, None)
        return handler

    def _instance(self, entry: HandlerEntry, config: BaseModel | None) -> BaseTaskHandler:
        if entry.prototype is not None:
            return copy.copy(entry.prototype)
        return entry.handler_class(**constructor_arguments(entry.handler_class, self.clients, config))


def _rows() -> Any:
    return apps.get_model("handlers", "HandlerConfig").objects.all()


def _row_of(name: str) -> "HandlerConfig | None":
    """Asked by every start, and compiling the query would take longer than running it."""
    model = apps.get_model("handlers", "HandlerConfig")
    statement = f"SELECT * FROM {model._meta.db_table} WHERE name = %s"  # noqa: S608 - our own table
    return next(iter(model.objects.raw(statement, [name])), None)


def _is_for(user: Any, row: "HandlerConfig | None") -> bool:
    """What `entries_for` says of one handler."""
    groups = [] if row is None or user.is_superuser else list(row.groups.values_list("pk", flat=True))
    return not groups or user.groups.filter(pk__in=groups).exists()


def _config_of(entry: HandlerEntry, row: "HandlerConfig | None") -> BaseModel | None:
    """A prototype was made with its configuration: nothing is layered over it."""
    if entry.prototype is not None:
        return None
    return effective_config(entry.handler_class, entry.name, row.options if row else None)


def _source_hash(handler_class: type) -> str:
    try:
        source = Path(inspect.getfile(handler_class)).read_bytes()
    except (OSError, TypeError):
        return "unknown"
    return hashlib.sha256(source).hexdigest()[:16]


registry = TaskHandlerRegistry()
