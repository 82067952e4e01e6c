"""What refusals mean, in the words of OpenAI, Ollama, vLLM and llama.cpp."""

import pytest

from handlers.clients.failures import CallFailed
from handlers.errors import ContextTooLong, ModelError, ModelThrottled, ModelTimedOut, ModelUnavailable, ToolsRefused
from handlers.models.openai_errors import may_ask_again, model_error


@pytest.mark.parametrize(
    ("status", "code", "words", "expected", "again"),
    [
        (401, "invalid_api_key", "Incorrect API key provided", ModelUnavailable, False),
        (403, "", "no access", ModelUnavailable, False),
        (404, "api_error", "model 'x' not found, try pulling it first", ModelUnavailable, False),
        (400, "model_not_found", "", ModelUnavailable, False),
        (200, "not_the_api", "answers with a web page", ModelUnavailable, False),
        (429, "insufficient_quota", "You exceeded your current quota", ModelUnavailable, False),
        (429, "rate_limit_exceeded", "Rate limit reached", ModelThrottled, True),
        (400, "context_length_exceeded", "", ContextTooLong, False),
        (400, "400", "This model's maximum context length is 4096 tokens.", ContextTooLong, False),
        (400, "400", "the request exceeds the available context size", ContextTooLong, False),
        (413, "", "Request Entity Too Large", ContextTooLong, False),
        (400, "400", "registry.ollama.ai/library/gemma:2b does not support tools", ToolsRefused, False),
        (
            400,
            "400",
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser',
            ToolsRefused,
            False,
        ),
        (404, "404", "No endpoints found that support tool use.", ToolsRefused, False),
        (500, "", "tools param requires --jinja flag", ToolsRefused, True),
        (400, "unsupported_value", "'temperature' does not support 0.2", ModelError, False),
        (500, "", "Internal Server Error", ModelError, True),
        (503, "", "overloaded", ModelError, True),
        (None, "server_error", "The server had an error", ModelError, True),
        (None, "503", "Busy", ModelError, True),
        (None, "rate_limit_exceeded", "Slow down", ModelThrottled, True),
        (None, "garbled", "not JSON", ModelError, False),
    ],
)
def test_a_refusal(status: int | None, code: str, words: str, expected: type[ModelError], again: bool) -> None:
    failure = CallFailed("refused", words, code=code, status=status)
    error = model_error(failure, "Llama")
    assert type(error) is expected
    assert words in error.detail
    assert may_ask_again(failure) is again


def test_an_unavailable_model_is_named_and_administrators_are_told_what_to_do() -> None:
    error = model_error(CallFailed("refused", "Incorrect key", code="invalid_api_key", status=401), "Llama 3")
    assert error.message == "The model “Llama 3” isn't available at the moment."
    assert "OPENAI_API_KEY" in error.detail


def test_a_silence_is_not_asked_again_and_a_broken_connection_is() -> None:
    silent, lost, unreachable = (CallFailed(kind, "…") for kind in ("silent", "lost", "unreachable"))
    assert [may_ask_again(failure) for failure in (silent, lost, unreachable)] == [False, True, True]
    assert type(model_error(silent, "m")) is ModelTimedOut
    assert type(model_error(unreachable, "m")) is ModelUnavailable
