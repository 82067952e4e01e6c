"""A function as a tool: its name, its description and the schema of its arguments, all read from the function.

Owns what a function must have to be a tool, and the check of the arguments that a model sends. Calls nothing: that is
handlers.tools.calling's. Pure.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ArgsKwargs

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")
_SECTION = re.compile(r"(?m)^(Args|Arguments|Parameters|Returns|Yields|Raises|Examples?|Notes?):\s*$|^:\w+.*?:")
_GOOGLE = re.compile(r"(?m)^(?:Args|Arguments|Parameters):\s*\n((?:[ \t]+.*\n?|\s*\n)+)")
_GOOGLE_ENTRY = re.compile(r"(?ms)^(\w+)(?:[ \t]*\([^)]*\))?:[ \t]*(.*?)(?=^\w+(?:[ \t]*\([^)]*\))?:|\Z)")
_SPHINX_ENTRY = re.compile(r"(?ms)^:param (?:[^:]*\s)?(\w+):\s*(.*?)(?=^:|\n\s*\n|\Z)")


class ToolError(Exception):
    """Raised by a tool, its text goes to the model, and is shown to the user with the call.

    For what the model can do something about: another argument, another way. Any other exception is logged, and told
    as a failure without its text.
    """


@dataclass(frozen=True, kw_only=True)
class ToolContext:
    """For whom a tool is called. A parameter annotated with this class is given it; the model doesn't see it.

    What a tool gives or changes is the named user's business only: `user_id` is who asks, as the run has it, and
    nothing that a model says changes it.
    """

    user_id: str = ""
    user_groups: tuple[str, ...] = ()
    chat_id: str = ""
    response_id: str = ""


class InvalidArguments(ToolError):
    """The arguments don't fit the schema; the text says which, and why."""


class Tool:
    """A function with what a model has to know of it. Made by `@tool`; as callable as the function.

    Raises TypeError where the function lacks what a model needs: a name in ASCII, a docstring, type hints.
    """

    def __init__(self, function: Callable[..., Any], *, name: str = "", description: str = "") -> None:
        self.function = function
        self.name = name or getattr(function, "__name__", "")
        written = inspect.getdoc(function) or ""
        self.description = description or _summary(written)
        if not _NAME.fullmatch(self.name):
            raise TypeError(f"{self.name!r} can't be a tool's name: up to 64 ASCII letters, digits, _ and -.")
        if not self.description:
            raise TypeError(f"The tool {self.name} has no docstring; a model chooses its tools by theirs.")
        hints = _hints_of(function, self.name)
        self._context_name = next((name for name, hint in hints.items() if hint is ToolContext), None)
        self._adapter = _arguments_of(function, self.name, hints, _descriptions(written))
        self.schema: dict[str, Any] = self._adapter.json_schema(schema_generator=_WithoutTitles)
        self.is_async = inspect.iscoroutinefunction(inspect.unwrap(function))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @property
    def spec(self) -> dict[str, Any]:
        """As a model's request has it (Converse's shape)."""
        described = {"name": self.name, "description": self.description, "inputSchema": {"json": self.schema}}
        return {"toolSpec": described}

    def checked(self, arguments: Mapping[str, Any], context: ToolContext | None = None) -> dict[str, Any]:
        """The arguments as the function takes them. Raises InvalidArguments, in words for the model."""
        try:
            checked: dict[str, Any] = self._adapter.validate_python(ArgsKwargs((), dict(arguments)))
        except ValidationError as error:
            raise InvalidArguments(_explained(error, self.schema)) from error
        if self._context_name:
            checked[self._context_name] = context or ToolContext()
        return checked


def tool(function: Callable[..., Any]) -> Tool:
    """Makes a function a tool: `@tool`. Its docstring's first paragraphs tell the model when to call it."""
    return function if isinstance(function, Tool) else Tool(function)


# --- the schema


class _WithoutTitles(GenerateJsonSchema):
    """Titles only repeat names, and every request pays for them."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _hints_of(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"The tool {name}: a type hint names what isn't there ({error}).") from error


def _arguments_of(
    function: Callable[..., Any], name: str, hints: Mapping[str, Any], descriptions: Mapping[str, str]
) -> TypeAdapter[Any]:
    """What checks the arguments: pydantic's view of a function with this signature that only returns what it got."""

    def received(**arguments: Any) -> dict[str, Any]:
        return arguments

    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        _require_plain(parameter, name, hints)
        hint = hints[parameter.name]
        if hint is ToolContext:
            continue
        if parameter.name in descriptions:
            hint = Annotated[hint, Field(description=descriptions[parameter.name])]
        parameters.append(parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=hint))
    received.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    received.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    try:
        return TypeAdapter(received)  # type: ignore[arg-type]
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise TypeError(f"The tool {name}: a type hint can't be made a JSON schema ({error}).") from error


def _require_plain(parameter: inspect.Parameter, name: str, hints: Mapping[str, Any]) -> None:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise TypeError(f"The tool {name}: a model sends arguments by name, so {parameter} can't be one.")
    if parameter.name not in hints:
        raise TypeError(f"The tool {name}: {parameter.name} needs a type hint; the model's schema is made of them.")


def _summary(docstring: str) -> str:
    """The docstring down to its sections on arguments and the like."""
    section = _SECTION.search(docstring)
    return docstring[: section.start()].strip() if section else docstring.strip()


def _descriptions(docstring: str) -> dict[str, str]:
    """What a docstring says of each argument, after `Args:` or as `:param name:`."""
    found = _SPHINX_ENTRY.findall(docstring)
    if section := _GOOGLE.search(docstring):
        found += _GOOGLE_ENTRY.findall(inspect.cleandoc("\n" + section[1]))
    return {name: " ".join(text.split()) for name, text in found}


def _explained(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """Each problem with where it is, then what is expected."""
    problems = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(step) for step in problem["loc"]) or "arguments"
        said = (
            problem["msg"]
            .removeprefix("Value error, ")
            .replace("keyword only argument", "argument")
            .replace("keyword argument", "argument")
        )
        problems.append(f"{where}: {said}.")
    expected = ", ".join(schema.get("properties", {})) or "none"
    return f"The arguments don't fit. {' '.join(problems)} The arguments are: {expected}."
