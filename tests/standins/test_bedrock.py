"""The stand-in answers the unmodified boto3 as Bedrock does, and refuses what Bedrock refuses."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from tests.standins.aws_auth import ACCESS_KEY, SECRET_KEY
from tests.standins.bedrock import BedrockStandIn

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
TOOL = {"toolSpec": {"name": "add", "inputSchema": {"json": {"type": "object"}}}}
CALL = {"toolUse": {"toolUseId": "a", "name": "add", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "a", "content": [{"text": "2"}]}}


@pytest.fixture(scope="module")
def server() -> Iterator[BedrockStandIn]:
    running = BedrockStandIn(context_tokens=50)
    running.start()
    yield running
    running.stop()
    assert running.faults == []


@pytest.fixture(scope="module")
def client(server: BedrockStandIn) -> Any:
    return boto3.Session(ACCESS_KEY, SECRET_KEY, region_name="us-east-1").client(
        "bedrock-runtime", endpoint_url=server.url, config=Config(retries={"total_max_attempts": 1})
    )


def _user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": block} if isinstance(block, str) else block for block in blocks]}


def _model(*blocks: Any) -> dict[str, Any]:
    return {**_user(*blocks), "role": "assistant"}


def test_converse_gives_the_whole_answer(client: Any) -> None:
    response = client.converse(
        modelId=MODEL, messages=[_user('reasoning=Hm. say=Yes. tool=add:{"a":1}')], toolConfig={"tools": [TOOL]}
    )
    reasoning, text, call = response["output"]["message"]["content"]
    assert reasoning["reasoningContent"]["reasoningText"]["text"] == "Hm."
    assert text == {"text": "Yes."}
    assert call["toolUse"]["input"] == {"a": 1}
    assert response["stopReason"] == "tool_use"
    assert response["usage"]["totalTokens"] > 0


def test_a_stream_can_break_with_an_exception_in_its_middle(client: Any) -> None:
    stream = client.converse_stream(modelId=MODEL, messages=[_user("fail=1")])["stream"]
    with pytest.raises(EventStreamError) as caught:
        list(stream)
    assert caught.value.response["Error"]["Code"] == "throttlingException"


def test_models_are_invoked_and_texts_embedded(client: Any) -> None:
    embedded = client.invoke_model(
        modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "tides", "dimensions": 256})
    )
    assert len(json.loads(embedded["body"].read())["embedding"]) == 256
    body = {"anthropic_version": "x", "max_tokens": 9, "messages": [{"role": "user", "content": "say=Good_day."}]}
    stream = client.invoke_model_with_response_stream(modelId=MODEL, body=json.dumps(body))["body"]
    chunks = [json.loads(event["chunk"]["bytes"]) for event in stream]
    assert (
        "".join(chunk["delta"]["text"] for chunk in chunks if chunk["type"] == "content_block_delta").strip()
        == "Good day."
    )


def test_tokens_are_counted(client: Any) -> None:
    counted = client.count_tokens(modelId=MODEL, input={"converse": {"messages": [_user("one two three")]}})
    assert counted["inputTokens"] == 3


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([_user("a"), _user("b")], "alternate"),
        ([_model("a"), _user("b")], "start with a user message"),
        ([_user(" ")], "blank"),
        ([_user("a"), _model(), _user("b")], "empty"),
        ([_user("a"), _model(CALL), _user("b")], "Expected toolResult"),
        ([_user("a"), _model(CALL)], "Expected toolResult"),
        ([_user("a"), _model("b"), _user(RESULT)], "exceeds the number of toolUse"),
        ([_user("a"), _model(CALL), _user("first", RESULT)], "must come first"),
        ([_user("a"), _model({"reasoningContent": {"reasoningText": {"text": "hm"}}}), _user("b")], "signature"),
        (
            [
                _user("a"),
                _model({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "forged"}}}),
                _user("b"),
            ],
            "Invalid `signature`",
        ),
        ([_user({"document": {"format": "txt", "name": "a", "source": {"text": "b"}}})], "text block is required"),
        ([_user("word " * 60)], "too long"),
    ],
)
def test_what_bedrock_refuses_is_refused(client: Any, messages: list[Any], words: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.converse_stream(modelId=MODEL, messages=messages, toolConfig={"tools": [TOOL]})
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert words in caught.value.response["Error"]["Message"]


def test_tools_have_to_be_offered_where_they_were_used(client: Any) -> None:
    with pytest.raises(ClientError, match="toolConfig field must be defined"):
        client.converse(modelId=MODEL, messages=[_user("a"), _model(CALL), _user(RESULT)])


@pytest.mark.parametrize(
    ("key", "secret", "region", "code"),
    [
        ("AKIANOBODY", SECRET_KEY, "us-east-1", "UnrecognizedClientException"),
        (ACCESS_KEY, "guessed", "us-east-1", "InvalidSignatureException"),
        (ACCESS_KEY, SECRET_KEY, "eu-west-1", "InvalidSignatureException"),
    ],
)
def test_a_wrong_signature_is_refused(server: BedrockStandIn, key: str, secret: str, region: str, code: str) -> None:
    stranger = boto3.Session(key, secret, region_name=region).client("bedrock-runtime", endpoint_url=server.url)
    with pytest.raises(ClientError) as caught:
        stranger.converse(modelId=MODEL, messages=[_user("a")])
    assert (caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]) == (
        code,
        403,
    )


def test_an_unknown_model_is_not_found(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.converse(modelId="acme.own-v1:0", messages=[_user("a")])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_it_runs_as_a_program_and_shows_its_log() -> None:
    command = [sys.executable, "-m", "tests.standins.bedrock", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        told = dict(program.stdout.readline().strip().split("=", 1) for _ in range(4))
        with urllib.request.urlopen(f"{told['AWS_ENDPOINT_URL_BEDROCK_RUNTIME']}/_log") as log:
            assert json.load(log) == []
        program.terminate()
