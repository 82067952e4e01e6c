"""One answer: the model, the tools that it calls, the model again, until it has said what it has to say.

Owns the loop and its bounds: turns, calls at the same time, one shorter retry. What a request holds is the handler's
(`RequestMaker`), what is told of the chat handlers.builtin.chat.history's.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from handlers.builtin.chat.history import ToldHistory
from handlers.errors import ContextTooLong, ModelError, ToolsRefused
from handlers.events import BaseEvent, ToolReturnEvent
from handlers.models import ModelMessage, ModelProvider, ModelRequest
from handlers.models.budget import BYTES_A_TOKEN, spec_tokens, told_limit, turn_tokens
from handlers.models.translation import ModelAnswer, ToolCall, tool_result
from handlers.tools import Outcome, ToolBox

MOST_CALLS = 16  # in one turn
AT_ONCE = 8  # of them
FEWEST_CHARACTERS = 200  # of a tool's result, however little room there is
FORGET_AFTER = 3600.0  # seconds until a model that refused tools is offered some again

TOO_MANY_TURNS = (
    "The model kept calling tools without coming to an answer, so it was stopped after {turns} turns. "
    "Please ask in another way, or in smaller steps."
)
NO_TOOLS_HERE = "The model asked for a tool, and there is none in this chat. Please ask in another way."
NOT_CALLED = "This wasn't called: the answer has had as many turns as it may have."
TOO_MANY_CALLS = f"This wasn't called: at most {MOST_CALLS} calls are made in one turn."

_STOPPED_BY_VENDOR = frozenset({"guardrail_intervened", "content_filtered"})
_refused_tools: dict[str, float] = {}  # model id to when; learned, and good for this process alone


class RequestMaker(Protocol):
    """Makes a request of the turns and the tools' specs; `instruction_tokens` is what else is in it."""

    instruction_tokens: int

    def __call__(self, messages: list[ModelMessage], tools: list[dict[str, Any]]) -> ModelRequest: ...


def takes_tools(model_id: str) -> bool:
    """Whether a model hasn't refused tools lately."""
    return time.monotonic() - _refused_tools.get(model_id, -FORGET_AFTER) >= FORGET_AFTER


def forget_refusals() -> None:
    """Offer tools to every model again; for tests."""
    _refused_tools.clear()


class Answering:
    """One answer in the making. `usage` sums up all turns; `facts` are of the last."""

    def __init__(
        self,
        provider: ModelProvider,
        told: ToldHistory,
        make_request: RequestMaker,
        *,
        toolbox: ToolBox,
        most_turns: int,
        most_characters: int,
        usage: "Usage",
    ) -> None:
        self._provider = provider
        self._told = told
        self._make_request = make_request
        self._toolbox = toolbox
        self._most_turns = most_turns
        self._most_characters = most_characters
        self._usage = usage
        self._turns: list[ModelMessage] = []
        self._ids: set[str] = set()
        self._user_knows = False
        self._told_unread = ""
        self.facts: dict[str, Any] = {}

    async def events(self) -> AsyncGenerator[BaseEvent, None]:
        """Everything for the user and the log, up to the end. Raises ModelError."""
        for turn in range(1, self._most_turns + 1):
            answer = ModelAnswer(taken_ids=self._ids)
            try:
                async with aclosing(self._said(answer)) as said:
                    async for event in said:
                        yield event
            finally:
                self._usage.add(answer.usage)
            self.facts = answer.facts
            if not answer.calls or answer.stop_reason in _STOPPED_BY_VENDOR:
                return
            async with aclosing(self._returned(answer, called=turn < self._most_turns)) as returned:
                async for event in returned:
                    yield event
            if not self._toolbox:
                raise ModelError(NO_TOOLS_HERE, error_type="no_tools", detail=_names(answer.calls))
        words = TOO_MANY_TURNS.format(turns=self._most_turns)
        raise ModelError(words, error_type="too_many_turns", detail=f"its last calls: {_names(answer.calls)}")

    # --- the model

    async def _said(self, answer: ModelAnswer) -> AsyncGenerator[BaseEvent, None]:
        """One turn of the model. It is asked again without tools when it takes none, once with less when it must."""
        while True:
            specs = self._toolbox.specs
            fixed = self._make_request.instruction_tokens + spec_tokens(specs)
            messages = await self._told.prepare(fixed=fixed, tools=bool(specs), turns=self._turns)
            if audit := self._told.audit():
                yield audit
            unread = self._told.unread()
            if unread and unread.message != self._told_unread:
                self._told_unread = unread.message
                yield unread
            if self._told.cut.left_out and not self._user_knows:
                self._user_knows = True
                yield self._told.status()
            try:
                async with aclosing(self._streamed(self._make_request(messages, specs), answer)) as events:
                    async for event in events:
                        yield event
                return
            except ContextTooLong as error:
                if answer.begun or not self._told.shorten(told_limit(error.detail)):
                    raise
            except ToolsRefused:
                if answer.begun or not self._toolbox or self._turns:
                    raise
                _refused_tools[self._make_request(messages, specs).model_id] = time.monotonic()
                self._toolbox = ToolBox()

    async def _streamed(self, request: ModelRequest, answer: ModelAnswer) -> AsyncGenerator[BaseEvent, None]:
        async with aclosing(self._provider.stream(request)) as stream:
            async for model_event in stream:
                for event in answer.feed(model_event):
                    yield event
        answer.require_end()

    # --- the tools

    async def _returned(self, answer: ModelAnswer, *, called: bool) -> AsyncGenerator[BaseEvent, None]:
        """Call what the model asks for, at the same time; what it gave comes in the order of the calls."""
        gate = asyncio.Semaphore(AT_ONCE)
        most = self._characters_for(answer)

        async def outcome_of(number: int, call: ToolCall) -> Outcome:
            if not called or number >= MOST_CALLS or call.problem:
                return Outcome(error=call.problem or (TOO_MANY_CALLS if called else NOT_CALLED))
            async with gate:
                return await self._toolbox.call(call.name, call.arguments, most=most)

        tasks = [asyncio.create_task(outcome_of(number, call)) for number, call in enumerate(answer.calls)]
        blocks = []
        try:
            for call, task in zip(answer.calls, tasks, strict=True):
                outcome = await task
                result = {"error": outcome.error} if outcome.error else outcome.result
                yield ToolReturnEvent(tool_name=call.name, result=result, tool_id=call.id)
                blocks.append(tool_result(call, outcome.result, error=outcome.error))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._turns += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": blocks}]

    def _characters_for(self, answer: ModelAnswer) -> int:
        """The longest result: what is set, and no more than lets the next turns have as much room as this one."""
        said = turn_tokens([{"role": "assistant", "content": answer.content}])
        room = (self._told.room_left - said) // 2 // len(answer.calls)
        return max(FEWEST_CHARACTERS, min(self._most_characters, int(room * BYTES_A_TOKEN)))


class Usage:
    """Tokens of all requests of an answer together."""

    def __init__(self) -> None:
        self.total: dict[str, Any] = {}

    def add(self, usage: Mapping[str, Any]) -> None:
        """Another request's. What isn't a number, as a provider of somebody's own may tell, can't be summed up."""
        for name, count in usage.items():
            if isinstance(count, int | float):
                self.total[name] = self.total.get(name, 0) + count


def _names(calls: Sequence[ToolCall]) -> str:
    return ", ".join(call.name for call in calls)
