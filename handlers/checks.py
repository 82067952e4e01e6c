"""System checks of handlers and what is configured for them, shown by `manage.py check` and at every start.

Ids: handlers.E001 can't be imported · E002 is no handler · E003 name taken · E004 no such default task ·
E005 unreadable prices · W001 unavailable · W002 options without effect · W003 no such default model.
docs/handlers.md has a heading for each. A check says it; the registry has already left the handler out.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from handlers.config import env_key, set_options, unknown_options
from handlers.config_store import HandlerConfig
from handlers.loading import LoadProblem
from handlers.models import available_models
from handlers.models.prices import PriceListInvalid, own_prices
from handlers.registry import registry

_IDS = {"import": "handlers.E001", "type": "handlers.E002", "name": "handlers.E003"}
_HINTS = {
    "import": "Correct the dotted path (package.module.Class) or install its package, or take the entry away.",
    "type": "docs/handlers.md shows the shape of a handler.",
    "name": "Give one of the two another name, or take one entry away.",
}


@checks.register()
def check_handlers_load(**kwargs: Any) -> list[checks.CheckMessage]:
    """Everything that settings, environment and entry points name is a handler."""
    return [_load_error(problem) for problem in registry.load()]


def _load_error(problem: LoadProblem) -> checks.Error:
    return checks.Error(
        f"Handler {problem.path}, named by {problem.source}: {problem.error}",
        hint=_HINTS[problem.kind],
        id=_IDS[problem.kind],
    )


@checks.register()
def check_default_task(**kwargs: Any) -> list[checks.CheckMessage]:
    """A chat that names no task needs one that exists."""
    if settings.WORKBENCH_DEFAULT_TASK in registry.names():
        return []
    return [
        checks.Error(
            f"WORKBENCH_DEFAULT_TASK: there is no handler named {settings.WORKBENCH_DEFAULT_TASK!r}.",
            hint=f"Set it to one of: {', '.join(registry.names())}.",
            id="handlers.E004",
        )
    ]


@checks.register()
def check_handlers_available(**kwargs: Any) -> list[checks.CheckMessage]:
    """Handlers that can't run as settings and environment have it. The admin's rows are the other check's."""
    return [
        _unavailable(name, availability.words)
        for name in registry.names()
        if not (availability := registry.availability_without_database(name)).available
    ]


@checks.register(checks.Tags.database)
def check_handlers_available_with_rows(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Handlers that can't run because of what an administrator stored; `check --database default` asks it."""
    if "default" not in (databases or ()) or not _table_exists():
        return []
    return [
        _unavailable(name, availability.words)
        for name in HandlerConfig.objects.filter(enabled=True).values_list("name", flat=True)
        if name in registry.names()
        and registry.availability_without_database(name).available
        and not (availability := registry.availability(name)).available
    ]


def _table_exists() -> bool:
    from django.db import connection

    return HandlerConfig._meta.db_table in connection.introspection.table_names()


def _unavailable(name: str, reason: str) -> checks.Warning:
    return checks.Warning(
        f"Handler {name!r} isn't available: {reason}",
        hint="The site runs without it. Configure what it lacks, or take it out of the settings.",
        id="handlers.W001",
    )


@checks.register()
def check_options_known(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """A mistyped option would be silently without effect."""
    return [
        checks.Warning(
            f"{variable} is without effect: {reason}",
            hint="Correct the variable's name, or unset it.",
            id="handlers.W002",
        )
        for variable, reason in _options_without_effect()
    ]


def _options_without_effect() -> Iterator[tuple[str, str]]:
    handlers = {env_key(entry.name): entry for entry in registry.entries()}
    for key in settings.WORKBENCH_HANDLER_OPTIONS:
        entry = handlers.get(env_key(key))
        options = set_options(key)
        for field in options if entry is None else unknown_options(entry.handler_class, options):
            variable = f"WORKBENCH_HANDLER_{env_key(key).upper()}__{field.upper()}"
            known = ", ".join(entry.handler_class.Config.model_fields) if entry and entry.handler_class.Config else ""
            yield variable, _no_handler(key) if entry is None else f"the handler's options are: {known or 'none'}."


def _no_handler(key: str) -> str:
    return f"there is no handler named {key!r}; the handlers are: {', '.join(registry.names())}."


@checks.register()
def check_default_model(**kwargs: Any) -> list[checks.CheckMessage]:
    """A chat that names no model gets one that exists."""
    models = [model.id for model in available_models()]
    if settings.WORKBENCH_DEFAULT_MODEL in models:
        return []
    return [
        checks.Warning(
            f"WORKBENCH_DEFAULT_MODEL: no provider has a model {settings.WORKBENCH_DEFAULT_MODEL!r}.",
            hint=f"Set it to one of: {', '.join(models)}.",
            id="handlers.W003",
        )
    ]


@checks.register()
def check_prices(**kwargs: Any) -> list[checks.CheckMessage]:
    """A list of prices that can't be read would leave every answer without its cost."""
    try:
        own_prices()
    except PriceListInvalid as error:
        hint = "Correct the file; docs/models.md, “What an answer costs”, shows its form. Or unset the variable."
        return [checks.Error(f"WORKBENCH_PRICES_FILE: {error}", hint=hint, id="handlers.E005")]
    return []
