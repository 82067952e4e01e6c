"""What a failed call to an OpenAI-compatible server means: for the user, in kind words; and whether to ask again."""

import re

from handlers.clients.failures import CallFailed
from handlers.errors import ContextTooLong, ModelError, ModelThrottled, ModelTimedOut, ToolsRefused
from handlers.models.asking import REFUSED, unavailable
from handlers.models.translation import CUT_SHORT

_BROKE_OFF = frozenset({"garbled"})
_OUT_OF_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_THROTTLED = re.compile(r"(?i)rate_?limit|too_many|throttl|^429$|tokens$|requests$")
_BUSY = re.compile(r"(?i)server_?error|overloaded|internal_error|unavailable|timeout|^(408|409|5\d\d)$")
_TOO_LONG = re.compile(
    r"(?i)context_length|exceed_context|context (length|window|size)|(prompt|input) is too long"
    r"|too many (input )?tokens|(maximum|max)[^.]{0,40}(context|input|prompt)[^.]{0,20}(length|tokens)"
    r"|exceeds?[^.]{0,60}context"
)
# Of Ollama, vLLM, llama.cpp and gateways.
_NO_TOOLS = re.compile(
    r"(?i)(n.t|not) support (the )?(tool|function)|tools? (is|are) not supported|tool choice requires"
    r"|tools param requires|no endpoints found that support tool"
)
_NO_SUCH_MODEL = re.compile(r"(?i)model_not_found|not_the_api|model.{0,80}(not found|does not exist|isn.t available)")

# What administrators can do about it; users read another sentence.
_HINTS = {
    401: "The server refuses the key in OPENAI_API_KEY, or wants one.",
    403: "The key in OPENAI_API_KEY may not use this model.",
    404: "The server has no such model, or OPENAI_BASE_URL isn't where its API begins (it ends in /v1).",
}


def model_error(failure: CallFailed, label: str) -> ModelError:
    """The failure as the seam's error. `label` is what people call the model."""
    detail = str(failure)
    match failure.kind:
        case "silent":
            return ModelTimedOut(detail=detail)
        case "lost":
            return ModelError(CUT_SHORT, detail=detail)
        case "invalid" | "unreachable":
            return unavailable(label, f"{detail} (OPENAI_BASE_URL says where the server is.)")
        case _:
            return _refusal(failure, label, detail)


def may_ask_again(failure: CallFailed) -> bool:
    """Whether the same request may succeed in a moment. Not after a silence: it may have been answered, and billed."""
    if failure.kind in {"lost", "unreachable"}:
        return True
    return failure.kind == "refused" and (_is_throttled(failure) or _is_busy(failure))


def _refusal(failure: CallFailed, label: str, detail: str) -> ModelError:
    told = f"{failure.code} {failure.words}"
    if failure.code in _BROKE_OFF:
        return ModelError(CUT_SHORT, detail=detail)
    if failure.status is not None and _NO_TOOLS.search(told):
        return ToolsRefused(detail=detail)
    if failure.status in _HINTS or failure.code in _OUT_OF_CREDIT:
        return unavailable(label, f"{detail} {_HINTS.get(failure.status or 0, '')}".rstrip())
    if _is_throttled(failure):
        return ModelThrottled(detail=detail, retry_after=failure.retry_after)
    if failure.status == 413 or _TOO_LONG.search(told):
        return ContextTooLong(detail=detail)
    if _is_busy(failure):
        return ModelError(detail=detail)
    if _NO_SUCH_MODEL.search(told):
        return unavailable(label, f"{detail} {_HINTS[404]}")
    return ModelError(REFUSED, detail=detail) if failure.status else ModelError(detail=detail)


def _is_throttled(failure: CallFailed) -> bool:
    """By its status; in the middle of a stream, which has none, by its code."""
    if failure.code in _OUT_OF_CREDIT:
        return False
    return failure.status == 429 or (failure.status is None and bool(_THROTTLED.search(failure.code)))


def _is_busy(failure: CallFailed) -> bool:
    if failure.status is None:
        return bool(_BUSY.search(failure.code))
    return failure.status in {408, 409, 425} or failure.status >= 500
