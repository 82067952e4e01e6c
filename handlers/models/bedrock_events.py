"""From what ConverseStream sends to the seam's events. Pure.

Owns what is passed on, when an answer has begun and when it is whole. The shapes are nearly the seam's, which are
taken from here; what the SDK doesn't know, or the seam hasn't, is dropped.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from handlers.models.seam import ModelEvent

_DELTAS = frozenset({"text", "toolUse", "reasoningContent", "citation"})
_REASONING = frozenset({"text", "signature", "redactedContent"})
_PASSED = frozenset({"contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"})


class AnswerReader:
    """One answer as its events come. `begun`: something has been passed on. `whole`: it was said to be over."""

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self._tool_names = tool_names
        self.begun = self.whole = False

    def feed(self, events: Iterable[Mapping[str, Any]]) -> Iterator[ModelEvent]:
        """The seam's events. The message's start is held back until something follows it: an error in its place
        can then be got over by asking again."""
        for event in events:
            kind = next(iter(event), "")
            fields = self._fields(kind, event.get(kind)) if kind in _PASSED else None
            if fields is None:
                continue
            if not self.begun:
                self.begun = True
                yield {"messageStart": {"role": "assistant"}}
            self.whole = self.whole or kind == "messageStop"
            yield cast("ModelEvent", {kind: fields})

    def _fields(self, kind: str, fields: Any) -> Any:
        if kind == "contentBlockStart":
            return self._start(fields)
        if kind == "contentBlockDelta":
            return _delta(fields)
        return fields

    def _start(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        call = fields.get("start", {}).get("toolUse")
        if call is None:
            return None
        name = self._tool_names.get(call["name"], call["name"])
        started = {"toolUseId": call["toolUseId"], "name": name}
        return {"contentBlockIndex": fields["contentBlockIndex"], "start": {"toolUse": started}}


def _delta(fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    delta = fields.get("delta", {})
    known = delta.keys() & _DELTAS
    if not known:
        return None
    if "reasoningContent" in known and not delta["reasoningContent"].keys() & _REASONING:
        return None
    return fields
