"""What a failed call to Bedrock means: for the user, in kind words; and whether to ask again."""

import re

from handlers.clients.failures import CallFailed
from handlers.errors import ContextTooLong, ModelError, ModelThrottled, ModelTimedOut, ToolsRefused
from handlers.models.asking import REFUSED, unavailable
from handlers.models.translation import CUT_SHORT

# Bedrock spells codes with a capital before a stream, without one in its middle.
_THROTTLED = frozenset({"throttlingexception", "toomanyrequestsexception", "modelnotreadyexception"})
_BUSY = frozenset({"serviceunavailableexception", "internalserverexception", "internalfailure"})
_NOT_FOR_US = frozenset(
    {
        "accessdeniedexception",
        "expiredtoken",
        "expiredtokenexception",
        "incompletesignature",
        "invalidclienttokenid",
        "invalidsignatureexception",
        "missingauthenticationtokenexception",
        "resourcenotfoundexception",
        "servicequotaexceededexception",
        "signaturedoesnotmatch",
        "unrecognizedclientexception",
    }
)
_TOO_LONG = re.compile(
    r"(?i)input is too long|prompt is too long|too many (input )?tokens|context (length|window)"
    r"|(maximum|max)[^.]{0,40} (context|input|prompt)[^.]{0,20}(length|tokens)|exceeds?[^.]{0,60}context"
)
_NO_TOOLS = re.compile(r"(?i)(n.t|not) support tool|tool use is.{0,9}not supported|toolConfig.{0,40}not supported")
_NO_SUCH_MODEL = re.compile(
    r"(?i)model identifier is invalid|on-demand throughput isn.t supported|model id|inference profile|end of its life"
    r"|legacy|operation not allowed|not supported in this region"
)


def model_error(failure: CallFailed, label: str) -> ModelError:
    """The failure as the seam's error. `label` is what people call the model."""
    detail = str(failure)
    match failure.kind:
        case "silent":
            return ModelTimedOut(detail=detail)
        case "lost" | "stopped":
            return ModelError(CUT_SHORT, detail=detail)
        case "invalid":
            return ModelError(REFUSED, detail=detail)
        case "credentials" | "unreachable":
            return unavailable(label, detail)
        case _:
            return _refusal(failure, label)


def may_ask_again(failure: CallFailed) -> bool:
    """Whether the same request may succeed in a moment. Not after a silence: it may have been answered, and billed."""
    if failure.kind in {"lost", "unreachable"}:
        return True
    return failure.kind == "refused" and failure.code.lower() in _THROTTLED | _BUSY


def _refusal(failure: CallFailed, label: str) -> ModelError:
    code, detail = failure.code.lower(), str(failure)
    if code in _THROTTLED:
        return ModelThrottled(detail=detail, retry_after=failure.retry_after)
    if code in _NOT_FOR_US:
        return unavailable(label, detail)
    if code == "modeltimeoutexception":
        return ModelTimedOut(detail=detail)
    if code == "validationexception":
        return _invalid(failure.words, label, detail)
    return ModelError(detail=detail)


def _invalid(words: str, label: str, detail: str) -> ModelError:
    if _TOO_LONG.search(words):
        return ContextTooLong(detail=detail)
    if _NO_TOOLS.search(words):
        return ToolsRefused(detail=detail)
    if _NO_SUCH_MODEL.search(words):
        return unavailable(label, detail)
    return ModelError(REFUSED, detail=detail)
