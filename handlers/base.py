"""The contract that every handler keeps, and what the runner needs to call one.

Owns the base class, the rules that a handler class must meet, and which of the runner's values its `handle` takes.
Knows nothing of where handlers come from (handlers.registry) and who listens to them.
"""

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel

from handlers.errors import AttachmentError
from handlers.events import BaseEvent

HANDLE_PARAMETERS = frozenset(
    {
        "chat_id",
        "message_history",
        "user_message",
        "model_id",
        "response_message_id",
        "context",
        "persona",
        "user_id",
        "user_groups",
        "options",
    }
)

Kind = TypeVar("Kind")
FileKeeper = Callable[[bytes, str], Awaitable[str]]

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")


class BaseTaskHandler(ABC):
    """Answers requests by yielding events. One fresh instance serves one run: state on `self` is safe.

    `name` is the API's `task`; it and `description` may be properties or class attributes. The constructor's
    parameters are given by name: clients (`bedrock_runtime_client`, …) and `config`, an instance of `Config`.
    """

    #: Shown to people in place of the name.
    label: str = ""
    #: Of the handler's code, stamped on every run (100 characters); left empty, a hash of its module stands in.
    version: str = ""
    #: A promise that `handle` never blocks: it then shares an event loop with other handlers, far cheaper per event.
    cooperative: bool = False
    #: Questions to begin with; the web chat offers them in an empty chat.
    examples: ClassVar[tuple[str, ...]] = ()
    #: Types what administrators may set; a nested class of this name.
    Config: ClassVar[type[BaseModel] | None] = None
    #: Types what a user may set per chat; a nested class of this name.
    UserOptions: ClassVar[type[BaseModel] | None] = None
    #: Of the configuration that this instance was built with; the registry sets it.
    config_hash: str = ""
    #: Keeps a file for this run's user: bytes and a name to an id. Whoever runs the handler sets it.
    file_keeper: FileKeeper | None = None

    def __init__(self, dynamodb_client: Any = None) -> None:
        self.dynamodb_client = dynamodb_client

    @property
    @abstractmethod
    def name(self) -> str:
        """Unique and always the same: lower-case letters, digits, `_` and `-`, at most 64."""

    @property
    @abstractmethod
    def description(self) -> str:
        """One sentence for people who choose a handler."""

    @abstractmethod
    def handle(self, *args: Any, **kwargs: Any) -> AsyncGenerator[BaseEvent, None]:
        """Answer `user_message`: an async generator of events. Its signature names what it uses, of these:

        - `chat_id: str`, `response_message_id: str`, `model_id: str`
        - `user_message: Message`: the request
        - `message_history: list[Message]`: from the chat's root to the request's parent, this branch only
        - `context: list[dict] | None`: items with `type`, `title` and `content`
        - `persona: str | None`: the persona's prompt text
        - `user_id: str`, `user_groups: list[str]`
        - `options: UserOptions | None`

        All are given by name; `**kwargs` takes all.
        """

    async def save_file(self, content: bytes, *, name: str = "") -> str:
        """Keep bytes as a file of the user's that this answer uses, and have its id for an ImageEvent.

        Its type is told by its content. Raises AttachmentError, in words for the user, where it is of a type that isn't
        taken, too large, or the user has no room left.
        """
        if self.file_keeper is None:
            raise AttachmentError("Files can't be kept here.", detail="nobody set file_keeper")
        return await self.file_keeper(content, name)

    @classmethod
    def model_ids(cls) -> list[str]:
        """The models that a user may choose for this handler; empty when it uses none, or one of its own."""
        return []


def call_handle(handler: BaseTaskHandler, **everything: Any) -> AsyncGenerator[BaseEvent, None]:
    """Start `handler.handle` with those of the given values that its signature takes.

    Raises TypeError when what comes back can't be iterated (a decorator may have lost the generator).
    """
    taken = _taken_names(type(handler).handle)
    given = everything if taken is None else {name: everything[name] for name in taken if name in everything}
    events: Any = handler.handle(**given)
    if not hasattr(events, "__anext__") or not hasattr(events, "aclose"):
        if inspect.iscoroutine(events):
            events.close()
        raise TypeError(f"{type(handler).__qualname__}.handle gave a {type(events).__name__}, not an async generator")
    return events


def takes(handler: BaseTaskHandler, name: str) -> bool:
    """Whether `handler.handle` takes a value of this name."""
    taken = _taken_names(type(handler).handle)
    return taken is None or name in taken


@lru_cache(maxsize=1024)
def _taken_names(handle: Any) -> frozenset[str] | None:
    """The names that a `handle` function takes; None when it takes any."""
    parameters = inspect.signature(handle).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)


def read_name(handler: type[BaseTaskHandler] | BaseTaskHandler) -> str:
    """The handler's name; a class's without running its constructor. Raises TypeError without a usable one."""
    name = read_attribute(handler, "name", str)
    if not _SLUG.fullmatch(name):
        of_class = _class_of(handler).__qualname__
        raise TypeError(f"{of_class}.name must be up to 64 lower-case letters, digits, _ and -, not {name!r}.")
    return name


def read_attribute(handler: type[BaseTaskHandler] | BaseTaskHandler, attribute: str, kind: type[Kind]) -> Kind:
    """What a class says of itself, by class attribute or property, without its constructor's having run.

    Raises TypeError when it can't be read so, or isn't of the `kind`.
    """
    cls = _class_of(handler)
    try:
        value = getattr(object.__new__(cls) if isinstance(handler, type) else handler, attribute)
    except Exception as error:
        raise TypeError(
            f"{cls.__qualname__}.{attribute} can't be read before the constructor has run ({type(error).__name__}). "
            f"Set it in the class: `{attribute} = ...`."
        ) from error
    if not isinstance(value, kind):
        raise TypeError(f"{cls.__qualname__}.{attribute} must be of type {kind.__name__}, not {value!r}.")
    return value


def _class_of(handler: type[BaseTaskHandler] | BaseTaskHandler) -> type[BaseTaskHandler]:
    return handler if isinstance(handler, type) else type(handler)


def require_handler_class(cls: Any) -> None:
    """Raises TypeError, with what to do, unless `cls` is a class that can be run as a handler."""
    if not isinstance(cls, type) or not issubclass(cls, BaseTaskHandler):
        raise TypeError(f"{cls!r} isn't a subclass of handlers.BaseTaskHandler.")
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        raise TypeError(f"{cls.__qualname__} lacks {' and '.join(missing)}.")
    if not inspect.isasyncgenfunction(inspect.unwrap(cls.handle)):
        raise TypeError(
            f"{cls.__qualname__}.handle isn't an async generator function: write `async def handle` with a `yield`."
        )
    _require_known_parameters(cls)
    for nested in ("Config", "UserOptions"):
        model = getattr(cls, nested)
        if model is not None and not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"{cls.__qualname__}.{nested} isn't a subclass of pydantic.BaseModel.")


def _require_known_parameters(cls: type[BaseTaskHandler]) -> None:
    for parameter in list(inspect.signature(cls.handle).parameters.values())[1:]:
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TypeError(f"{cls.__qualname__}.handle: {parameter.name} is positional-only; values come by name.")
        given = parameter.name in HANDLE_PARAMETERS or parameter.default is not parameter.empty
        if not given and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise TypeError(
                f"{cls.__qualname__}.handle requires {parameter.name}, which nobody gives. "
                f"What it may take: {', '.join(sorted(HANDLE_PARAMETERS))}."
            )
