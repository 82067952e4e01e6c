"""A conversation with whichever model the user chose.

Owns what a model is told: instructions, persona, context, limits, and which tools it may call. The order of an answer
is handlers.builtin.chat.answering's; models and their streams are handlers.models'.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from fnmatch import fnmatchcase
from typing import Any

from django.conf import settings
from pydantic import BaseModel, Field, field_validator, model_validator

from handlers.base import BaseTaskHandler
from handlers.builtin.chat.answering import Answering, Usage, takes_tools
from handlers.builtin.chat.history import ToldHistory
from handlers.builtin.chat.summary import Summariser
from handlers.errors import ModelError
from handlers.events import BaseEvent, ErrorEvent, MetadataEvent, ResponseEndEvent
from handlers.messages import Message
from handlers.models import (
    ModelDescription,
    ModelMessage,
    ModelRequest,
    available_models,
    cost_facts,
    describe_model,
    provider_for,
)
from handlers.models.budget import text_tokens
from handlers.tools import ToolBox, ToolContext, tools
from handlers.tools.fetching import Fetcher, FetchLimits, fetch_tool, require_host_pattern

NOTHING_ASKED = "There is no text in this message. Please write a question."
FETCH = "fetch_url"


class ChatHandler(BaseTaskHandler):
    """Answers with the chosen model, which is given the chat so far, the persona, the context items and tools."""

    name = "chat"
    label = "Chat"
    description = "A conversation with the model of your choice."
    cooperative = True
    examples = ("What can you do?",)

    class Config(BaseModel):
        """What administrators set. A user's own options go before them."""

        system_prompt: str = Field("", description="Told to the model before everything else.")
        temperature: float | None = Field(None, ge=0, le=2, description="The model's own when empty.")
        max_tokens: int | None = Field(None, ge=1, description="The longest answer; the model's own limit when empty.")
        tools: list[str] = Field(
            ["calculator", "current_time"], description="Names of the tools that models may call; empty for none."
        )
        without_tools: list[str] = Field(
            [], description="Ids of models that get no tools; * stands for any characters."
        )
        max_turns: int = Field(
            8, ge=1, le=50, description="How often the model is asked for one answer, tools between."
        )
        tool_timeout: float = Field(30.0, gt=0, le=600, description="Seconds of one tool's call.")
        tool_result_characters: int = Field(20_000, ge=200, description="What is longer is cut.")
        fetch_hosts: list[str] = Field(
            [], description="Hosts that fetch_url may ask: example.org, *.example.org, example.org:8443."
        )
        fetch_timeout: float = Field(15.0, gt=0, le=300, description="Seconds of one fetch, redirects included.")
        fetch_bytes: int = Field(500_000, ge=1, le=10_000_000, description="What is longer isn't read.")
        context_tokens: int = Field(
            8_192, ge=512, description="What a model is taken to read when its provider doesn't say."
        )
        summarise: bool = Field(
            False, description="Replace what a model can't read any more by a summary that it makes; costs a request."
        )

        @field_validator("tools")
        @classmethod
        def _require_known(cls, names: list[str]) -> list[str]:
            known = [*tools.names(), FETCH]
            unknown = [name for name in names if name not in known]
            if unknown:
                raise ValueError(f"There is no tool {', '.join(unknown)}; there are {', '.join(known)}")
            return list(dict.fromkeys(names))

        @field_validator("fetch_hosts")
        @classmethod
        def _require_hosts(cls, hosts: list[str]) -> list[str]:
            return [require_host_pattern(host) for host in hosts]

        @model_validator(mode="after")
        def _require_allowed_hosts(self) -> "ChatHandler.Config":
            if FETCH in self.tools and not self.fetch_hosts:
                raise ValueError("The tool fetch_url needs fetch_hosts, the hosts that it may ask")
            return self

    class UserOptions(BaseModel):
        """What a user sets for a chat."""

        temperature: float | None = Field(None, ge=0, le=2, title="Temperature")
        max_tokens: int | None = Field(None, ge=1, title="Longest answer, in tokens")
        instructions: str = Field("", max_length=10_000, title="Instructions for every answer")

    def __init__(self, config: Config | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._config = config or self.Config()

    @classmethod
    def model_ids(cls) -> list[str]:
        return [model.id for model in available_models() if model.available]

    async def handle(
        self,
        *,
        message_history: list[Message],
        user_message: Message,
        model_id: str,
        context: list[dict[str, Any]] | None = None,
        persona: str | None = None,
        options: UserOptions | None = None,
        **others: Any,
    ) -> AsyncGenerator[BaseEvent, None]:
        if not user_message.text.strip() and not context and not _has_attachment(user_message):
            yield ErrorEvent(error_type="empty_request", message=NOTHING_ASKED)
            return
        model_id, usage = model_id or settings.WORKBENCH_DEFAULT_MODEL, Usage()
        told: ToldHistory | None = None
        try:
            instructions = _Instructions(self._config, model_id, persona, options or self.UserOptions())
            told = self._told(message_history, user_message, context, instructions, usage)
            answering = self._answering(told, instructions, self._toolbox(describe_model(model_id), others), usage)
            async with aclosing(answering.events()) as events:
                async for event in events:
                    yield event
        except asyncio.CancelledError:
            if facts := _facts_so_far(told, model_id, usage):
                yield MetadataEvent(metadata=facts)
            if usage.total:  # the turns before the stop were paid for
                yield ResponseEndEvent(status="cancelled", usage=usage.total)
            raise
        except ModelError as error:
            if facts := _facts_so_far(told, model_id, usage):
                yield MetadataEvent(metadata=facts)
            yield ErrorEvent(error_type=error.error_type, message=error.message, details=_details(error, model_id))
            yield ResponseEndEvent(status="error", error_type=error.error_type, usage=usage.total)
            return
        yield MetadataEvent(metadata={**answering.facts, **cost_facts(model_id, usage.total), **told.facts})
        yield ResponseEndEvent(usage=usage.total)

    # --- what an answer is made of

    def _told(
        self,
        history: list[Message],
        question: Message,
        context: list[dict[str, Any]] | None,
        instructions: "_Instructions",
        usage: Usage,
    ) -> ToldHistory:
        model = describe_model(instructions.model_id)
        limit = model.context_tokens or self._config.context_tokens
        summariser = None
        if self._config.summarise:
            summariser = Summariser(provider_for(model.id), model.id, longest=limit, spent=usage.add)
        return ToldHistory(
            history,
            question,
            context,
            model=model,
            limit=limit,
            max_tokens=instructions.max_tokens,
            summariser=summariser,
        )

    def _answering(self, told: ToldHistory, instructions: "_Instructions", toolbox: ToolBox, usage: Usage) -> Answering:
        return Answering(
            provider_for(instructions.model_id),
            told,
            instructions,
            toolbox=toolbox,
            most_turns=self._config.max_turns,
            most_characters=self._config.tool_result_characters,
            usage=usage,
        )

    def _toolbox(self, model: ModelDescription, run: Mapping[str, Any]) -> ToolBox:
        """The tools that are on, for who asks; none for a model that takes none."""
        mine = self._config
        refused = any(fnmatchcase(model.id, pattern) for pattern in mine.without_tools)
        if refused or not model.tools or not takes_tools(model.id):
            return ToolBox()
        chosen = tools.chosen(name for name in mine.tools if name != FETCH)
        if FETCH in mine.tools:
            limits = FetchLimits(seconds=mine.fetch_timeout, bytes=mine.fetch_bytes)
            chosen.append(fetch_tool(Fetcher(mine.fetch_hosts, limits=limits)))
        context = ToolContext(
            user_id=run.get("user_id", ""),
            user_groups=tuple(run.get("user_groups") or ()),
            chat_id=run.get("chat_id", ""),
            response_id=run.get("response_message_id", ""),
        )
        return ToolBox(chosen, context=context, timeout=mine.tool_timeout)


class _Instructions:
    """All of a request but the conversation."""

    def __init__(
        self, mine: ChatHandler.Config, model_id: str, persona: str | None, chosen: ChatHandler.UserOptions
    ) -> None:
        self.model_id = model_id
        self.max_tokens = _smaller(mine.max_tokens, chosen.max_tokens)
        self._temperature = mine.temperature if chosen.temperature is None else chosen.temperature
        self._system = [text for text in (mine.system_prompt, persona or "", chosen.instructions) if text.strip()]
        self.instruction_tokens = sum(map(text_tokens, self._system))

    def __call__(self, messages: list[ModelMessage], tools: list[dict[str, Any]]) -> ModelRequest:
        return ModelRequest(
            model_id=self.model_id,
            system=[{"text": text} for text in self._system],
            messages=messages,
            temperature=self._temperature,
            max_tokens=self.max_tokens,
            tools=tools,
        )


def _facts_so_far(told: ToldHistory | None, model_id: str, usage: Usage) -> dict[str, Any]:
    """What is known of an answer that doesn't come to its end."""
    return {**(cost_facts(model_id, usage.total) if usage.total else {}), **(told.facts if told else {})}


def _has_attachment(message: Message) -> bool:
    return any(part.kind in {"image", "file"} and not part.hidden for part in message.parts)


def _smaller(limit: int | None, wanted: int | None) -> int | None:
    """A user may ask for less than the administrator allows, not for more."""
    return min((number for number in (limit, wanted) if number is not None), default=None)


def _details(error: ModelError, model_id: str) -> Mapping[str, Any]:
    return {"model_id": model_id, "error": type(error).__name__, "detail": error.detail}
