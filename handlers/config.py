"""A handler's options: where they come from, which wins, and what is said when they don't fit.

Owns the layers of `Config` (the class's defaults < settings and environment < the admin's row) and the reading of a
user's own options. The row's table is handlers.config_store.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from pydantic import BaseModel, TypeAdapter, ValidationError

from handlers.base import BaseTaskHandler
from handlers.errors import InvalidOptions


def env_key(name: str) -> str:
    """A handler's name as environment variables spell it, in lower case: they know no hyphen."""
    return name.replace("-", "_").lower()


def set_options(name: str) -> dict[str, Any]:
    """What settings and environment say for a handler: field to value, which is raw text from the environment."""
    return {field.lower(): value for field, value in settings.WORKBENCH_HANDLER_OPTIONS.get(env_key(name), {}).items()}


def unknown_options(handler_class: type[BaseTaskHandler], options: Mapping[str, Any]) -> list[str]:
    """Those of the options that the handler's `Config` has no field for: without effect, most likely mistyped."""
    config_class = handler_class.Config
    if config_class is None:
        return sorted(options)
    if config_class.model_config.get("extra") == "allow":
        return []
    known = {field.lower() for field in _field_names(config_class)}
    return sorted(option for option in options if option.lower() not in known)


def effective_config(
    handler_class: type[BaseTaskHandler], name: str, stored: Mapping[str, Any] | None = None
) -> BaseModel | None:
    """The handler's typed configuration; None when it has no `Config`. `stored`: the admin's row.

    Raises InvalidOptions, each message naming the layer that the value came from.
    """
    config_class = handler_class.Config
    if config_class is None:
        return None
    stored = {} if stored is None else stored
    if not isinstance(stored, Mapping):
        raise InvalidOptions({"options": ["Must be a JSON object (set in the admin)."]})
    names = {field.lower(): field for field in config_class.model_fields}
    raw = {names.get(field, field): value for field, value in set_options(name).items()}
    from_settings = {field: _typed(config_class, field, value) for field, value in raw.items()}
    try:
        return config_class.model_validate({**from_settings, **stored})
    except ValidationError as error:
        raise InvalidOptions(_explain(error, name, stored, from_settings)) from error


def hash_of(config: BaseModel | None) -> str:
    """A short hash of a configuration, equal when its values are. Secrets don't go into it."""
    values = {} if config is None else config.model_dump(mode="json", fallback=repr)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def parse_user_options(handler_class: type[BaseTaskHandler], raw: Mapping[str, Any] | None) -> BaseModel | None:
    """What a user set for a chat, as the handler's `UserOptions`; None when it has none.

    Raises InvalidOptions; an option that the handler doesn't know is refused, so that a mistyped one is seen.
    """
    options_class = handler_class.UserOptions
    raw = raw or {}
    unknown = set(raw) - (_field_names(options_class) if options_class else set())
    if unknown and not (options_class and options_class.model_config.get("extra") == "allow"):
        raise InvalidOptions({name: ["This handler has no such option."] for name in sorted(unknown)})
    if options_class is None:
        return None
    try:
        return options_class.model_validate(raw)
    except ValidationError as error:
        raise InvalidOptions(messages_by_field(error)) from error


def messages_by_field(error: ValidationError) -> dict[str, list[str]]:
    """pydantic's errors in API error shape: field to messages. An error of the whole has the name `options`."""
    fields: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(step) for step in problem["loc"]) or "options"
        fields.setdefault(name, []).append(problem["msg"].removeprefix("Value error, "))
    return fields


def _field_names(model: type[BaseModel]) -> set[str]:
    aliases = {field.alias for field in model.model_fields.values() if field.alias}
    return set(model.model_fields) | aliases


def _typed(config_class: type[BaseModel], field: str, value: Any) -> Any:
    """Raw text of the environment as JSON where the field wants more than text, like `["a", "b"]` for a list."""
    known = config_class.model_fields.get(field)
    if known is None or not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        TypeAdapter(known.rebuild_annotation()).validate_python(value)
    except ValidationError:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _explain(
    error: ValidationError, name: str, stored: Mapping[str, Any], from_settings: Mapping[str, Any]
) -> dict[str, list[str]]:
    """The messages, each with the place where an administrator changes the value."""
    explained = {}
    for path, messages in messages_by_field(error).items():
        field = path.partition(".")[0]
        if field in stored:
            place = "set in the admin"
        elif field in from_settings:
            place = f"set by WORKBENCH_HANDLER_{env_key(name).upper()}__{field.upper()}"
        else:
            place = f"not set; WORKBENCH_HANDLER_{env_key(name).upper()}__{field.upper()} sets it"
        explained[path] = [f"{message} ({place})." for message in messages]
    return explained
