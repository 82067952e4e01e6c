"""Making a handler: which values its constructor takes, and what is missing.

Owns the rules of injection by parameter name. The clients themselves come through the port `ClientSource`, which
handlers.clients fills.
"""

import inspect
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from handlers.base import BaseTaskHandler


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether something can be used now; if not, `reason` says why, in a sentence that every user may read.

    `detail`: more words, for administrators and the log only.
    """

    available: bool
    reason: str | None = None
    detail: str = ""

    @property
    def words(self) -> str:
        """All that is known of why not, for administrators."""
        return self.detail or self.reason or ""


AVAILABLE = Availability(True)


def unavailable(reason: str, detail: str = "") -> Availability:
    """Not usable now, and why."""
    return Availability(False, reason, detail)


class ClientSource(Protocol):
    """Where handlers' clients come from."""

    def find_name(self, parameter: str) -> str | None:
        """The name of the client that a constructor's parameter asks for; None when there is no such client."""

    def availability(self, name: str) -> Availability:
        """Whether the client can be used now."""

    def get(self, name: str) -> Any:
        """The client, shared by all. Raises ClientUnavailable."""


class NoClients:
    """A source of no clients at all: what a registry has until one is bound."""

    def find_name(self, parameter: str) -> str | None:
        return None

    def availability(self, name: str) -> Availability:
        return unavailable(f"There is no client {name}.")

    def get(self, name: str) -> Any:
        raise LookupError(name)


def injected_parameters(handler_class: type[BaseTaskHandler]) -> dict[str, inspect.Parameter]:
    """The constructor's parameters by name. Where it takes `**kwargs`, those of the constructor above it as well."""
    found: dict[str, inspect.Parameter] = {}
    for cls in handler_class.__mro__:
        if "__init__" not in cls.__dict__ or cls is object:
            continue
        parameters = list(inspect.signature(cls.__dict__["__init__"]).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def missing_reason(handler_class: type[BaseTaskHandler], clients: ClientSource) -> str | None:
    """Why the constructor can't be called: a required parameter without its client; None when it can."""
    for name, parameter in injected_parameters(handler_class).items():
        if parameter.default is not parameter.empty:
            continue
        if name == "config":
            if handler_class.Config is None:
                return "Its constructor takes config, but the class has no Config."
            continue
        client = clients.find_name(name)
        if client is None:
            return f"Its constructor requires {name}, and no client of that name is registered."
        availability = clients.availability(client)
        if not availability.available:
            return f"It needs {name}: {availability.reason}"
    return None


def constructor_arguments(
    handler_class: type[BaseTaskHandler], clients: ClientSource, config: BaseModel | None
) -> dict[str, Any]:
    """What to call the constructor with. Optional clients that aren't available are left to their defaults."""
    arguments: dict[str, Any] = {}
    for name, parameter in injected_parameters(handler_class).items():
        if name == "config":
            if config is not None:
                arguments[name] = config
            continue
        client = clients.find_name(name)
        required = parameter.default is parameter.empty
        if client is not None and (required or clients.availability(client).available):
            arguments[name] = clients.get(client)
    return arguments
