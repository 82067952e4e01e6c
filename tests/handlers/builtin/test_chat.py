"""The chat handler: what the model is told, and what the user gets, whatever the model does."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest

from handlers.builtin.chat import ChatHandler
from handlers.builtin.chat.handler import NOTHING_ASKED
from handlers.encoding import encode_event
from handlers.errors import ModelError, ModelThrottled
from handlers.events import ContentEvent, ErrorEvent, MetadataEvent, ReasoningEvent, ResponseEndEvent
from handlers.messages import Message, MessagePart
from handlers.models import ModelDescription, ModelEvent, ModelProvider, ModelRequest, providers
from handlers.models.continuing import GO_ON
from handlers.testing import attachment, collect, conversation, text_of

TEXT: ModelEvent = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hal"}}}
STOP: ModelEvent = {"messageStop": {"stopReason": "end_turn"}}


class ScriptedProvider(ModelProvider):
    """Says what a test wants, raises what it wants, and keeps what it was asked."""

    name = "scripted"

    def __init__(self) -> None:
        self.script: list[ModelEvent | Exception] = [TEXT, STOP]
        self.requests: list[ModelRequest] = []
        self.closed = 0

    def models(self) -> list[ModelDescription]:
        return [ModelDescription(id="scripted", label="Scripted", provider=self.name)]

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.requests.append(request)
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.closed += 1


@pytest.fixture
def model() -> Iterator[ScriptedProvider]:
    provider = ScriptedProvider()
    providers.register(provider)
    yield provider
    providers.unregister("scripted")


async def _chat(text: str = "Hello", handler: ChatHandler | None = None, **values: Any) -> list[Any]:
    return await collect(handler or ChatHandler(), text, **{"model_id": "scripted", **values})


async def test_the_answer_streams_and_ends_with_stop_reason_and_usage(model: ScriptedProvider) -> None:
    usage: Any = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    thought: ModelEvent = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}}
    model.script = [thought, TEXT, STOP, {"metadata": {"usage": usage}}]
    assert await _chat() == [
        ReasoningEvent(text="hm"),
        ContentEvent(content="Hal"),
        MetadataEvent(metadata={"stop_reason": "end_turn", "cost": None}),
        ResponseEndEvent(usage=usage),
    ]


async def test_the_model_is_told_instructions_history_context_and_question(model: ScriptedProvider) -> None:
    handler = ChatHandler(ChatHandler.Config(system_prompt="Be brief."))
    await _chat(
        "And now?",
        handler,
        message_history=conversation("First", "Answer"),
        persona="You are a pirate.",
        context=[{"type": "note", "title": "Sea", "content": "Salt."}],
        options=ChatHandler.UserOptions(instructions="Use rhymes."),
    )
    (request,) = model.requests
    assert request.system == [{"text": "Be brief."}, {"text": "You are a pirate."}, {"text": "Use rhymes."}]
    assert [turn["role"] for turn in request.messages] == ["user", "assistant", "user"]
    assert request.messages[-1]["content"] == [
        {"text": '<context title="Sea">\nSalt.\n</context>'},
        {"text": "And now?"},
    ]


@pytest.mark.parametrize(
    ("config", "options", "temperature", "max_tokens"),
    [
        ({}, {}, None, None),
        ({"temperature": 0.2, "max_tokens": 100}, {}, 0.2, 100),
        ({"temperature": 0.2, "max_tokens": 100}, {"temperature": 0.0, "max_tokens": 50}, 0.0, 50),
        ({"max_tokens": 100}, {"max_tokens": 5000}, None, 100),
        ({}, {"max_tokens": 5000}, None, 5000),
    ],
)
async def test_a_user_may_ask_for_less_than_is_allowed(
    model: ScriptedProvider, config: Any, options: Any, temperature: float | None, max_tokens: int | None
) -> None:
    await _chat("Hi", ChatHandler(ChatHandler.Config(**config)), options=ChatHandler.UserOptions(**options))
    assert (model.requests[0].temperature, model.requests[0].max_tokens) == (temperature, max_tokens)


@pytest.mark.parametrize(
    ("script", "error_type", "message"),
    [
        ([TEXT, ModelThrottled(detail="429 secret")], "throttled", ModelThrottled.default_message),
        ([ModelError(detail="500 secret")], "model_error", ModelError.default_message),
        ([TEXT], "model_error", "The model's answer broke off. Please try again."),
    ],
)
async def test_a_failing_model_is_a_kind_error_with_the_reason_for_the_audit(
    model: ScriptedProvider, script: Any, error_type: str, message: str
) -> None:
    model.script = script
    *said, error, end = await _chat()
    assert text_of(said) == ("Hal" if TEXT in script else "")
    assert isinstance(error, ErrorEvent)
    assert (error.error_type, error.message) == (error_type, message)
    assert "secret" not in error.message
    assert error.details["detail"]
    assert (end.status, end.error_type) == ("error", error_type)


async def test_an_unknown_model_is_a_kind_error() -> None:
    error, end = await _chat(model_id="nobody's")
    assert error.message == "There is no model “nobody's”. Please choose another one."
    assert end.error_type == "unavailable"


async def test_a_bug_in_a_provider_is_not_swallowed(model: ScriptedProvider) -> None:
    model.script = [TEXT, ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        await _chat()


async def test_closing_the_answer_closes_the_models_stream(model: ScriptedProvider) -> None:
    model.script = [TEXT] * 100
    assert len(await _chat(limit=3)) == 3
    assert model.closed == 1


async def test_a_request_without_text_asks_for_some(model: ScriptedProvider) -> None:
    (error,) = await _chat("  ")
    assert (error.error_type, error.message) == ("empty_request", NOTHING_ASKED)
    assert model.requests == []


async def test_without_a_model_id_the_default_model_answers(settings: Any) -> None:
    settings.WORKBENCH_DEFAULT_MODEL = "offline"
    assert text_of(await _chat("echo Ahoy", model_id="")) == "Ahoy"


async def test_usage_of_the_offline_model_can_be_stored() -> None:
    end = (await _chat("echo one two", model_id="offline"))[-1]
    assert encode_event(end).fields["usage"] == {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}


def test_the_models_to_choose_from_are_those_that_are_available(model: ScriptedProvider) -> None:
    assert ChatHandler.model_ids() == ["offline", "scripted"]


async def test_a_continuation_asks_the_model_to_go_on_where_it_stopped(model: ScriptedProvider) -> None:
    rest = Message(parts=[MessagePart(content="Continue.")], metadata={"continues": "answer"})
    history = conversation("Count", "One, two,")
    await _chat(user_message=rest, message_history=history)
    await _chat("And now?", message_history=[*history, rest, *conversation("?", "three.")[1:]])
    for request in model.requests:
        assert [turn["content"][0]["text"] for turn in request.messages[:3]] == ["Count", "One, two,", GO_ON]


async def test_what_was_left_out_is_known_of_a_failed_answer_too(model: ScriptedProvider) -> None:
    model.script = [TEXT, ModelError("It broke.")]
    handler = ChatHandler(ChatHandler.Config(context_tokens=512))
    events = await _chat("Now?", handler, message_history=conversation(*["word " * 200] * 20))
    (metadata,) = [event for event in events if isinstance(event, MetadataEvent)]
    assert metadata.metadata["messages_left_out"] > 0


async def test_an_attachment_alone_is_a_question_and_what_the_model_isnt_given_is_said_once(
    model: ScriptedProvider,
) -> None:
    request = Message(id="now", parts=[attachment("a.pdf", b"%PDF", "application/pdf")])
    events = await collect(ChatHandler(), request, model_id="scripted")
    assert [event.message for event in events if isinstance(event, ErrorEvent)] == [
        "The model wasn't given “a.pdf”: it can't read files of this type."
    ]
    assert text_of(events) == "Hal"
