"""The SDK's exceptions, told apart."""

from typing import Any

import pytest
import urllib3.exceptions
from botocore import exceptions as sdk
from botocore.eventstream import ChecksumMismatch

from handlers.clients.failures import failure_of


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sdk.NoCredentialsError(), "credentials"),
        (sdk.ProfileNotFound(profile="team"), "credentials"),
        (sdk.EndpointConnectionError(endpoint_url="https://x", error="refused"), "unreachable"),
        (sdk.ConnectTimeoutError(endpoint_url="https://x"), "unreachable"),
        (sdk.ReadTimeoutError(endpoint_url="https://x"), "silent"),
        (urllib3.exceptions.ReadTimeoutError(None, "x", "timed out"), "silent"),  # type: ignore[arg-type]
        (sdk.ConnectionClosedError(endpoint_url="https://x"), "lost"),
        (urllib3.exceptions.ProtocolError("ended"), "lost"),
        (ChecksumMismatch(1, 2), "lost"),
        (sdk.ParamValidationError(report="missing"), "invalid"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_an_exception_has_its_kind(error: Exception, kind: str) -> None:
    failure = failure_of(error)
    assert failure is not None
    assert failure.kind == kind
    assert type(error).__name__ in str(failure)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7.0), ({"x-amz-retry-after": "1500"}, 1.5), ({"retry-after": "soon"}, None), ({}, None)],
)
def test_a_refusal_keeps_awss_code_words_and_advice(headers: dict[str, str], seconds: float | None) -> None:
    response: Any = {
        "Error": {"Code": "ThrottlingException", "Message": "Slow down."},
        "ResponseMetadata": {"HTTPStatusCode": 429, "HTTPHeaders": headers},
    }
    failure = failure_of(sdk.ClientError(response, "ConverseStream"))
    assert failure is not None
    assert (failure.kind, failure.code, failure.words, failure.status) == (
        "refused",
        "ThrottlingException",
        "Slow down.",
        429,
    )
    assert failure.retry_after == seconds


def test_what_is_not_the_sdks_is_nobodys_failure() -> None:
    assert failure_of(ZeroDivisionError()) is None
