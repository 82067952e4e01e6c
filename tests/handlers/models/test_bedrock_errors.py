"""What failures mean, in words for a user, and what for the audit."""

import pytest

from handlers.clients.failures import CallFailed
from handlers.errors import ContextTooLong, ModelError, ModelThrottled, ModelTimedOut, ModelUnavailable, ToolsRefused
from handlers.models.bedrock_errors import may_ask_again, model_error


def _refused(code: str, words: str = "AWS said no.") -> CallFailed:
    return CallFailed("refused", words, code=code, status=400)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (_refused("ThrottlingException"), ModelThrottled),
        (_refused("throttlingException"), ModelThrottled),
        (_refused("ModelNotReadyException"), ModelThrottled),
        (_refused("AccessDeniedException"), ModelUnavailable),
        (_refused("ExpiredTokenException"), ModelUnavailable),
        (_refused("UnrecognizedClientException"), ModelUnavailable),
        (_refused("ResourceNotFoundException"), ModelUnavailable),
        (_refused("ModelTimeoutException"), ModelTimedOut),
        (_refused("ValidationException", "This model doesn't support tool use in streaming mode."), ToolsRefused),
        (_refused("ModelErrorException"), ModelError),
        (_refused("modelStreamErrorException"), ModelError),
        (_refused("InternalServerException"), ModelError),
        (_refused("ValidationException", "The provided model identifier is invalid."), ModelUnavailable),
        (
            _refused("ValidationException", "Invocation of model ID x with on-demand throughput isn’t supported."),
            ModelUnavailable,
        ),
        (_refused("ValidationException", "Input is too long for requested model."), ContextTooLong),
        (_refused("ValidationException", "prompt is too long: 210000 tokens > 200000 maximum"), ContextTooLong),
        (_refused("validationException", "The input exceeds the model's maximum context length"), ContextTooLong),
        (_refused("ValidationException", "The maximum tokens you requested exceeds the limit of 8192"), ModelError),
        (CallFailed("credentials", "NoCredentialsError"), ModelUnavailable),
        (CallFailed("unreachable", "EndpointConnectionError"), ModelUnavailable),
        (CallFailed("silent", "nothing came"), ModelTimedOut),
        (CallFailed("lost", "ProtocolError"), ModelError),
        (CallFailed("invalid", "ParamValidationError"), ModelError),
    ],
    ids=str,
)
def test_a_failure_has_its_kind_of_error(failure: CallFailed, error: type[ModelError]) -> None:
    found = model_error(failure, "Claude")
    assert type(found) is error
    assert found.detail == str(failure)
    assert failure.words not in found.message


def test_how_long_to_wait_is_passed_on() -> None:
    failure = CallFailed("refused", "slow down", code="ThrottlingException", retry_after=7.0)
    error = model_error(failure, "Claude")
    assert isinstance(error, ModelThrottled)
    assert error.retry_after == 7.0


@pytest.mark.parametrize(
    ("failure", "again"),
    [
        (_refused("ThrottlingException"), True),
        (_refused("ServiceUnavailableException"), True),
        (CallFailed("lost", "closed"), True),
        (CallFailed("silent", "nothing came"), False),
        (CallFailed("stopped", "by us"), False),
        (_refused("ValidationException"), False),
        (_refused("ServiceQuotaExceededException"), False),
    ],
    ids=str,
)
def test_only_what_may_pass_is_asked_again(failure: CallFailed, again: bool) -> None:
    assert may_ask_again(failure) is again
