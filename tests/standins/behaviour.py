"""How a stand-in for a model's server is asked to behave: `name=value` words in the last text that a user wrote.

    Tell me of tides. words=20 pause=0.05 stall=7

Shared by the stand-ins of all vendors, so that one contract suite can ask each for the same thing. Pure.
"""

import json
import re
from dataclasses import dataclass, fields
from typing import Any, get_args

_WORD = re.compile(r"\b([a-z_]+)=(\S+)")


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What the next answer is like. Times are seconds; counts are of the words already said."""

    say: str = ""  # the answer's text, "_" for spaces; without it, `words` numbered words
    words: int = 5
    pause: float = 0.0  # before each word
    hang: float = 0.0  # before the response's headers
    stall: int | None = None  # says so many words, then nothing more, ever
    cut: int | None = None  # says so many words, then the connection breaks
    fail: int | None = None  # says so many words, then the vendor's error in the middle of a stream
    silent: bool = False  # the stream ends without the vendor's mark of an end
    throttle: int = 0  # refuses so many requests of this `key` first
    retry_after: float | None = None  # what such a refusal says
    key: str = ""
    refuse: str = ""  # denied, model, length, invalid, down: refused so, every time; tools: as long as it is given some
    reasoning: str = ""  # thinks this first, "_" for spaces, and signs it where the vendor does
    redacted: bool = False  # thinks something that it keeps to itself
    tools: tuple[tuple[str, str], ...] = ()  # name and JSON arguments of each call, as `tool=name:{"a":1}`
    insist: bool = False  # calls them again after their results, for ever
    cite: bool = False  # cites the request's first document
    stop: str = ""  # the vendor's stop reason, in place of the usual one

    def words_to_say(self) -> list[str]:
        """The answer's text in the pieces in which it is sent."""
        if self.say:
            return re.findall(r"\S+\s*", self.say.replace("_", " "))
        return [f"word{number} " for number in range(self.words)]


def parse(text: str) -> Behaviour:
    """The behaviour that a text asks for. Unknown names are part of the text; a wrong value raises ValueError."""
    known = {field.name: field for field in fields(Behaviour)}
    asked: dict[str, Any] = {}
    tools = []
    for name, value in _WORD.findall(text):
        if name == "tool":
            tool, _, arguments = value.partition(":")
            tools.append((tool, arguments or "{}"))
        elif name in known and name != "tools":
            asked[name] = _typed(known[name].type, value)
    return Behaviour(**asked, tools=tuple(tools))


def _typed(kind: Any, value: str) -> Any:
    if kind is bool:
        return value not in {"0", "off", "False"}
    return (kind if kind in {int, float, str} else get_args(kind)[0])(value)


def ask_for(behaviour: Behaviour) -> str:
    """The text that `parse` reads as this behaviour."""
    words = [f"tool={name}:{arguments}" for name, arguments in behaviour.tools]
    for field in fields(Behaviour):
        value = getattr(behaviour, field.name)
        if field.name != "tools" and value != field.default:
            words.append(f"{field.name}={str(value).replace(' ', '_')}")
    return " ".join(["Say something.", *words])


def call(name: str, **arguments: Any) -> tuple[str, str]:
    """A tool call for `Behaviour.tools`."""
    return name, json.dumps(arguments, separators=(",", ":"))
