"""Calling tools: whatever a model asks for and whatever a tool does, there is an outcome that the model can be told.

Owns the order of things: unknown name, arguments, time, size. What a tool is, is handlers.tools.typed's.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any

from handlers.encoding import EncodingError, canonical_json, clean_text, encode_value
from handlers.tools.threads import threads
from handlers.tools.typed import Tool, ToolContext, ToolError

logger = logging.getLogger(__name__)

TIMEOUT = 30.0  # seconds
RESULT_CHARACTERS = 20_000
PARTING = 0.5  # seconds that a tool gets to end after it was cancelled


class _TookTooLong(Exception):
    """The tool's time is up."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a call gave: `result`, plain JSON; or `error`, in words for the model and the user."""

    result: Any = None
    error: str = ""


class ToolBox:
    """The tools of one answer, for one user. `timeout`: seconds of one call, waiting for a thread included."""

    def __init__(
        self, tools: Iterable[Tool] = (), *, context: ToolContext | None = None, timeout: float = TIMEOUT
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._context = context or ToolContext()
        self._timeout = timeout

    def __bool__(self) -> bool:
        return bool(self._tools)

    @property
    def specs(self) -> list[dict[str, Any]]:
        """As a model's request has them."""
        return [tool.spec for tool in self._tools.values()]

    async def call(self, name: str, arguments: dict[str, Any], *, most: int = RESULT_CHARACTERS) -> Outcome:
        """Call a tool; its result has at most `most` characters of JSON. Raises nothing but a cancel."""
        tool = self._tools.get(name)
        if tool is None:
            return Outcome(error=f"There is no tool “{name}”. There are: {', '.join(self._tools) or 'none'}.")
        try:
            checked = tool.checked(arguments, self._context)
            value = await self._within_time(tool, checked)
            return Outcome(result=shortened(value, most))
        except ToolError as error:
            return Outcome(error=_cut(str(error), most) or "The tool failed.")
        except _TookTooLong:
            logger.warning("The tool %s took longer than %g s and was given up.", name, self._timeout)
            return Outcome(error=f"The tool took longer than {self._timeout:g} seconds and was given up.")
        except EncodingError as error:
            logger.exception("The tool %s gave what isn't JSON.", name)
            return Outcome(error=f"The tool's result can't be passed on ({error}).")
        except Exception:  # the border: a tool is other people's code, and an answer outlives it
            logger.exception("The tool %s failed.", name)
            return Outcome(error="The tool failed.")

    async def _within_time(self, tool: Tool, arguments: dict[str, Any]) -> Any:
        """What the tool returns. Raises _TookTooLong when it doesn't in time, whether or not it can be stopped."""
        task = _begun(tool, arguments)
        try:
            await asyncio.wait([task], timeout=self._timeout)
            if not task.done():
                raise _TookTooLong
            if task.cancelled():
                raise RuntimeError("the tool cancelled itself")
            return task.result()
        finally:
            if not task.done():
                await _end(task, tool.name)


def _begun(tool: Tool, arguments: dict[str, Any]) -> "asyncio.Future[Any]":
    if tool.is_async:
        return asyncio.ensure_future(_guarded(tool.function(**arguments)))
    return asyncio.wrap_future(threads.submit(lambda: tool.function(**arguments)))


async def _guarded(call: Awaitable[Any]) -> Any:
    """An event loop ends with a task of its that raises one of these."""
    try:
        return await call
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"raised {type(error).__name__}") from error


async def _end(task: "asyncio.Future[Any]", name: str) -> None:
    """Cancel a tool. One that doesn't end then is left behind: the answer can't wait for it."""
    task.cancel()
    task.add_done_callback(_noted)
    done, _ = await asyncio.wait([task], timeout=PARTING)
    if not done:
        logger.error("The tool %s doesn't end when it is cancelled; it is left behind.", name)


def _noted(task: "asyncio.Future[Any]") -> None:
    """What a cancelled tool still raises is on record, and nobody's to handle."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.warning("A tool that was cancelled raised %s.", type(error).__name__, exc_info=error)


def shortened(value: Any, most: int) -> Any:
    """A value as plain JSON, whole when that has at most `most` characters; else its beginning as text, and a note.

    Raises EncodingError for what isn't JSON, or has more than a megabyte of it.
    """
    if isinstance(value, str):
        return clean_text(_cut(value, most))
    encoded = encode_value(value)
    text = canonical_json(encoded)
    return encoded if len(text) <= most else _cut(text, most)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[:most]}… (cut: {most:,} of {len(text):,} characters)"
