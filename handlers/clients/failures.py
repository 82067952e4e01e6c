"""What can go wrong with a call to AWS, told apart without the SDK's exceptions.

Owns the one place that knows them: those of botocore, and those of urllib3 that botocore lets through in the middle
of a stream. What a failure means to a user is the caller's.
"""

from collections.abc import Mapping
from typing import Any, Literal

Kind = Literal["refused", "credentials", "unreachable", "lost", "silent", "invalid", "stopped"]


class CallFailed(Exception):
    """A call to a service failed.

    `kind`: refused (the service said no: `code`, `status` and its words), credentials (there are none, or they can't be
    had), unreachable (nothing was sent), lost (the connection broke), silent (nothing came for too long), invalid
    (the request couldn't even be sent), stopped (by us). `retry_after`: seconds, when the service says.
    """

    def __init__(
        self, kind: Kind, words: str, *, code: str = "", status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{code}: {words}" if code else words)
        self.kind = kind
        self.words = words
        self.code = code
        self.status = status
        self.retry_after = retry_after


def failure_of(error: BaseException) -> CallFailed | None:
    """What an exception of the SDK means; None for one that isn't the SDK's, which is a bug of somebody's."""
    import urllib3.exceptions as http
    from botocore import eventstream
    from botocore import exceptions as sdk

    if isinstance(error, sdk.ClientError):
        return _refusal(error)
    kinds: dict[Kind, tuple[type[BaseException], ...]] = {
        "credentials": (
            sdk.NoCredentialsError,
            sdk.PartialCredentialsError,
            sdk.CredentialRetrievalError,
            sdk.TokenRetrievalError,
            sdk.NoAuthTokenError,
            sdk.SSOError,
            sdk.ProfileNotFound,
            sdk.MetadataRetrievalError,
            sdk.ConfigParseError,
        ),
        "silent": (sdk.ReadTimeoutError, http.ReadTimeoutError),
        "unreachable": (
            sdk.EndpointConnectionError,
            sdk.ConnectTimeoutError,
            sdk.ProxyConnectionError,
            sdk.SSLError,
            sdk.NoRegionError,
            sdk.InvalidRegionError,
            sdk.EndpointProviderError,
            sdk.InvalidEndpointConfigurationError,
            sdk.UnknownEndpointError,
        ),
        "lost": (
            sdk.HTTPClientError,
            http.HTTPError,
            eventstream.ParserError,
            ConnectionError,
        ),
        "invalid": (sdk.BotoCoreError,),
    }
    kind = next((kind for kind, types in kinds.items() if isinstance(error, types)), None)
    return CallFailed(kind, f"{type(error).__name__}: {error}") if kind else None


def _refusal(error: Any) -> CallFailed:
    said: Mapping[str, Any] = error.response.get("Error", {})
    answer: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    return CallFailed(
        "refused",
        str(said.get("Message") or "no reason given"),
        code=str(said.get("Code") or "unknown"),
        status=answer.get("HTTPStatusCode"),
        retry_after=_seconds(answer.get("HTTPHeaders", {})),
    )


def _seconds(headers: Mapping[str, str]) -> float | None:
    """What the headers say of when to come back; dates, which AWS doesn't send, are passed over."""
    for name, unit in (("x-amz-retry-after", 0.001), ("retry-after", 1.0)):
        try:
            return float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
    return None
