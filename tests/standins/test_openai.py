"""The stand-in refuses what servers of OpenAI's API refuse, and answers in their shapes."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.standins.openai import API_KEY, OpenAIStandIn

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
CALL = {"id": "a", "type": "function", "function": {"name": "add", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "a", "content": "2"}


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIStandIn]:
    running = OpenAIStandIn(context_tokens=50)
    running.start()
    yield running
    running.stop()


def _post(server: OpenAIStandIn, key: str = API_KEY, **body: Any) -> str:
    request = urllib.request.Request(
        f"{server.base_url}/chat/completions",
        json.dumps({"model": "stand-in-small", **body}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return response.read().decode()


def _refusal(server: OpenAIStandIn, **body: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        _post(server, **body)
    with caught.value as response:
        return response.code, json.load(response)["error"]


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _model(text: str | None = "b", *calls: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **({"tool_calls": list(calls)} if calls else {})}


def test_a_whole_answer(server: OpenAIStandIn) -> None:
    told = json.loads(_post(server, messages=[_user('say=Yes. tool=add:{"a":1}')], tools=[TOOL]))
    (choice,) = told["choices"]
    assert choice["message"]["content"] == "Yes."
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a":1}'}
    assert choice["finish_reason"] == "tool_calls"
    assert told["usage"]["total_tokens"] > 0


def test_a_stream_ends_in_its_usage_and_a_mark(server: OpenAIStandIn) -> None:
    stream = _post(server, messages=[_user("words=2")], stream=True, stream_options={"include_usage": True})
    *chunks, mark = [line.removeprefix("data: ") for line in stream.split("\n\n") if line]
    assert mark == "[DONE]"
    last = json.loads(chunks[-1])
    assert (last["choices"], last["usage"]["completion_tokens"]) == ([], 2)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "too short"),
        ([_user("a"), _user("b")], "alternate"),
        ([_model(), _user("b")], "alternate"),
        ([_user(" ")], "content"),
        ([_user("a"), _model(None), _user("b")], "content"),
        ([_user("a"), _model(None, CALL), _user("b")], "did not have response messages"),
        ([_user("a"), _model(None, CALL)], "did not have response messages"),
        ([_user("a"), RESULT], "preceding message"),
        ([_user("word " * 60)], "maximum context length"),
    ],
)
def test_what_is_refused(server: OpenAIStandIn, messages: list[Any], words: str) -> None:
    status, error = _refusal(server, messages=messages)
    assert status == 400
    assert words in error["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"metadatas": {}},
        {"stream_options": {"include_usage": True}},
        {"stop": list("abcde")},
        {"tools": [{"type": "function", "function": {"name": "add up", "parameters": {"type": "object"}}}]},
        {"tools": [{"type": "function", "function": {"name": "add", "parameters": {}}}]},
    ],
)
def test_fields_that_are_refused(server: OpenAIStandIn, fields: dict[str, Any]) -> None:
    assert _refusal(server, messages=[_user("a")], **fields)[0] == 400


def test_a_wrong_key_and_an_unknown_model_are_refused(server: OpenAIStandIn) -> None:
    assert _refusal(server, key="guessed", messages=[_user("a")])[0] == 401
    assert _refusal(server, model="nobodys", messages=[_user("a")])[0] == 404


def test_it_runs_as_a_program_and_shows_its_log() -> None:
    command = [sys.executable, "-m", "tests.standins.openai", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        told = dict(program.stdout.readline().strip().split("=", 1) for _ in range(2))
        with urllib.request.urlopen(told["OPENAI_BASE_URL"].replace("/v1", "/_log")) as log:
            assert json.load(log) == []
        program.terminate()
