"""From a model request to ConverseStream's parameters, judged by botocore's own shapes."""

from typing import Any

import pytest

from handlers.models import ModelRequest
from handlers.models.bedrock_models import traits_of
from handlers.models.bedrock_request import CACHE_POINT, ConverseRequest
from tests.standins.bedrock_rules import check_conversation, check_request

CLAUDE, NOVA = "global.anthropic.claude-sonnet-5", "eu.amazon.nova-micro-v1:0"
UNKNOWN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"
TOOL = {"toolSpec": {"name": "add", "description": "Adds.", "inputSchema": {"json": {"type": "object"}}}}


def _parameters(model_id: str = CLAUDE, turns: int = 1, **values: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages: Any = [{"role": roles[n % 2], "content": [{"text": f"turn {n}"}]} for n in range(turns)]
    request = ModelRequest(**{"model_id": model_id, "messages": messages, **values})
    parameters = ConverseRequest(request, traits_of(model_id)).parameters
    check_request("ConverseStream", parameters)
    check_conversation(parameters)
    return parameters


def test_what_is_not_set_is_not_sent() -> None:
    assert _parameters() == {"modelId": CLAUDE, "messages": [{"role": "user", "content": [{"text": "turn 0"}]}]}


def test_limits_are_sent_and_temperature_within_bedrocks_range() -> None:
    parameters = _parameters(max_tokens=5, temperature=1.7, stop_sequences=["END"])
    assert parameters["inferenceConfig"] == {"maxTokens": 5, "temperature": 1.0, "stopSequences": ["END"]}


def test_blank_instructions_are_left_out() -> None:
    assert "system" not in _parameters(NOVA, system=[{"text": " "}])


def test_a_conversation_is_cached_where_the_model_can() -> None:
    parameters = _parameters(turns=3, system=[{"text": "Be brief."}], tools=[TOOL])
    assert parameters["system"][-1] == CACHE_POINT
    assert parameters["messages"][-1]["content"][-1] == CACHE_POINT
    assert parameters["toolConfig"]["tools"][-1] == CACHE_POINT


def test_a_model_that_caches_no_tools_gets_no_point_there() -> None:
    parameters = _parameters(NOVA, turns=3, tools=[TOOL])
    assert parameters["messages"][-1]["content"][-1] == CACHE_POINT
    assert CACHE_POINT not in parameters["toolConfig"]["tools"]


def test_nothing_is_cached_for_a_model_that_is_not_known_or_when_not_asked_for() -> None:
    assert "cachePoint" not in str(_parameters(UNKNOWN, turns=3, system=[{"text": "Be brief."}]))
    assert "cachePoint" not in str(_parameters(turns=3, system=[{"text": "Be brief."}], cache=False))


def test_a_first_question_is_not_written_to_the_cache() -> None:
    assert "cachePoint" not in str(_parameters()["messages"])


def test_tools_get_names_that_bedrock_takes() -> None:
    names = ["docs.search", "docs/search", "n" * 80]
    tools = [{"toolSpec": {**TOOL["toolSpec"], "name": name, "description": " "}} for name in names]
    request = ModelRequest(model_id=CLAUDE, messages=[{"role": "user", "content": [{"text": "?"}]}], tools=tools)
    converse = ConverseRequest(request, traits_of(NOVA))
    assert converse.tool_names == {"docs_search": names[0], "docs_search-2": names[1], "n" * 64: names[2]}
    check_request("ConverseStream", converse.parameters)


def test_the_tool_that_has_to_be_called_goes_by_its_new_name() -> None:
    tool = {"toolSpec": {**TOOL["toolSpec"], "name": "docs.search"}}
    parameters = _parameters(tools=[tool], tool_choice={"tool": {"name": "docs.search"}})
    assert parameters["toolConfig"]["toolChoice"] == {"tool": {"name": "docs_search"}}


def test_metadata_fits_what_aws_takes() -> None:
    metadata = {"chat": "é" * 300, "": "x", **{f"key{number}": "value" for number in range(30)}}
    sent = _parameters(metadata=metadata)["requestMetadata"]
    assert sent["chat"] == "_" * 256
    assert len(sent) <= 16


def test_fields_of_the_models_own_are_passed_on() -> None:
    extra = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    assert _parameters(extra=extra)["additionalModelRequestFields"] == extra


def _with_documents(*formats: str) -> dict[str, Any]:
    documents = [{"document": {"format": name, "name": f"a {name}", "source": {"bytes": b"Hello"}}} for name in formats]
    return _parameters(messages=[{"role": "user", "content": [*documents, {"text": "What?"}]}])


def test_citations_are_asked_for_of_all_documents_or_of_none() -> None:
    documents = [block["document"] for block in _with_documents("pdf", "txt")["messages"][0]["content"][:2]]
    assert [document["citations"] for document in documents] == [{"enabled": True}] * 2
    assert "citations" not in str(_with_documents("pdf", "xlsx"))


THINKER = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("reasoning", "values", "budget"),
    [
        ("low", {}, 1_024),
        ("high", {"max_tokens": 8_000}, 7_999),
        ("high", {"max_tokens": 1_024}, None),
        ("medium", {"tools": [TOOL], "tool_choice": {"any": {}}}, None),
        ("least", {}, None),
        (None, {}, None),
    ],
)
def test_a_budget_to_think_with_leaves_room_for_the_answer(reasoning: Any, values: Any, budget: int | None) -> None:
    parameters = _parameters(THINKER, reasoning=reasoning, temperature=0.5, **values)
    thinking = parameters.get("additionalModelRequestFields", {}).get("thinking", {})
    assert thinking.get("budget_tokens") == budget
    assert ("temperature" in parameters.get("inferenceConfig", {})) is (budget is None)


def test_a_model_that_takes_no_budget_is_told_none() -> None:
    assert "additionalModelRequestFields" not in _parameters(NOVA, reasoning="high")
