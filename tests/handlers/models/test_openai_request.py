"""From a model request to the body of chat/completions, judged by the stand-in's rules."""

from typing import Any

import pytest

from handlers.models import ModelRequest
from handlers.models.openai_request import ChatRequest
from tests.standins.openai_rules import check_request

TOOL = {"toolSpec": {"name": "add up", "description": "Adds.", "inputSchema": {"json": {"type": "object"}}}}


def _body(*content: Any, openai: bool = False, **values: Any) -> dict[str, Any]:
    blocks = [{"text": block} if isinstance(block, str) else block for block in content or ["Hello"]]
    given = {"model_id": "llama3.2", "messages": [{"role": "user", "content": blocks}], **values}
    body = ChatRequest(ModelRequest(**given), openai=openai).body
    check_request(body)
    return body


def test_what_is_not_set_is_not_sent() -> None:
    assert _body() == {
        "model": "llama3.2",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_limits_have_the_name_that_the_server_knows() -> None:
    assert _body(max_tokens=5)["max_tokens"] == 5
    body = _body(max_tokens=5, openai=True)
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


def test_a_model_that_refuses_a_temperature_gets_none() -> None:
    assert _body(temperature=0.3)["temperature"] == 0.3
    assert "temperature" not in _body(temperature=0.3, model_id="gpt-5-mini")


def test_more_stop_sequences_than_the_api_takes_are_left_out() -> None:
    assert _body(stop_sequences=list("abcdef"))["stop"] == ["a", "b", "c", "d"]


def test_instructions_come_first_and_fields_of_the_models_own_are_passed_on() -> None:
    body = _body(system=[{"text": "Be brief."}, {"text": " "}, {"text": "Be kind."}], extra={"seed": 7})
    assert body["messages"][0] == {"role": "system", "content": "Be brief.\n\nBe kind."}
    assert body["seed"] == 7


def test_tools_and_their_choice_are_sent_under_names_that_the_api_takes() -> None:
    body = _body(tools=[TOOL], tool_choice={"tool": {"name": "add up"}})
    function = {"name": "add_up", "description": "Adds.", "parameters": {"type": "object"}}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "add_up"}}
    assert _body(tools=[TOOL], tool_choice={"any": {}})["tool_choice"] == "required"


def test_calls_and_results_become_messages_of_their_own() -> None:
    use = {"toolUse": {"toolUseId": "a", "name": "add up", "input": {"x": "ü"}}}
    result = {"toolResult": {"toolUseId": "a", "content": [{"json": {"sum": 3}}], "status": "success"}}
    messages = [
        {"role": "user", "content": [{"text": "Add."}]},
        {"role": "assistant", "content": [{"text": "Well."}, use]},
        {"role": "user", "content": [result, {"text": "And?"}]},
    ]
    call = {"id": "a", "type": "function", "function": {"name": "add_up", "arguments": '{"x": "ü"}'}}
    assert _body(messages=messages, tools=[TOOL])["messages"][1:] == [
        {"role": "assistant", "content": "Well.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": '{"sum": 3}'},
        {"role": "user", "content": "And?"},
    ]


def test_images_are_sent_in_place_and_documents_as_their_text() -> None:
    image = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
    document = {"document": {"format": "md", "name": "Notes", "source": {"bytes": "Größe".encode()}}}
    sealed = {"document": {"format": "pdf", "name": "Report", "source": {"bytes": b"%PDF"}}}
    parts = _body("See.", image, document, sealed)["messages"][0]["content"]
    assert parts[1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    assert [part.get("text") for part in parts] == [
        "See.",
        None,
        "Notes\nGröße",
        "(The user attached “Report”, which this model can't read.)",
    ]


@pytest.mark.parametrize(
    ("model_id", "reasoning", "effort"),
    [
        ("gpt-5-mini", "least", "minimal"),
        ("gpt-5.1", "least", "none"),
        ("o4-mini-2025-04-16", "least", "low"),
        ("o3", "high", "high"),
        ("gpt-5", None, None),
        ("gpt-5-codex", "least", None),
        ("gpt-4o", "low", None),
    ],
)
def test_how_long_to_think_is_said_to_openais_models_that_listen(
    model_id: str, reasoning: Any, effort: str | None
) -> None:
    assert _body(model_id=model_id, reasoning=reasoning, openai=True).get("reasoning_effort") == effort
    assert "reasoning_effort" not in _body(model_id=model_id, reasoning=reasoning)
