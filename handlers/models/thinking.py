"""Thoughts that a model writes into its answer, between <think> and </think>: told apart from the answer. Pure.

DeepSeek-R1, Qwen3 and their like begin so where their server doesn't part the two. Only at an answer's beginning are
the tags marks: later on they are text, which may well be about such tags.
"""

from collections.abc import Iterator
from typing import Literal

OPENING, CLOSING = "<think>", "</think>"

Kind = Literal["reasoning", "text"]


class ThoughtSplitter:
    """One answer's text, however it is cut. White space round thoughts is nobody's, and empty thoughts are none."""

    def __init__(self) -> None:
        self._state: Literal["undecided", "thinking", "thought", "answering"] = "undecided"
        self._has_thought = False
        self._held = ""  # may be the beginning of a tag, or white space that nothing follows

    def feed(self, text: str) -> Iterator[tuple[Kind, str]]:
        """What is certain by now, in order; no piece is empty."""
        if self._state == "answering" and text:
            yield "text", text
            return
        self._held += text
        if self._state == "undecided":
            yield from self._decide()
        if self._state == "thinking":
            yield from self._think()
        if self._state == "thought":
            yield from self._answer()

    def finish(self) -> Iterator[tuple[Kind, str]]:
        """What was held back, when nothing follows."""
        held, self._held = self._held, ""
        if self._state == "undecided" and held:
            yield "text", held
        elif self._state == "thinking" and held.strip():
            yield "reasoning", held.rstrip()  # its end was cut
        self._state = "answering"

    def _decide(self) -> Iterator[tuple[Kind, str]]:
        begin = self._held.lstrip()
        if begin.startswith(OPENING):
            self._state, self._held = "thinking", begin[len(OPENING) :]
        elif not OPENING.startswith(begin):
            self._state, held, self._held = "answering", self._held, ""
            yield "text", held

    def _think(self) -> Iterator[tuple[Kind, str]]:
        if not self._has_thought:
            self._held = self._held.lstrip()
        thought, closing, rest = self._held.partition(CLOSING)
        if closing:
            self._state, self._held = "thought", rest
            thought = thought.rstrip()
        else:
            end = len(thought[: len(thought) - _begun_tag(thought)].rstrip())
            thought, self._held = thought[:end], thought[end:]
        if thought:
            self._has_thought = True
            yield "reasoning", thought

    def _answer(self) -> Iterator[tuple[Kind, str]]:
        self._held = self._held.lstrip()
        if self._held:
            self._state, held, self._held = "answering", self._held, ""
            yield "text", held


def _begun_tag(thought: str) -> int:
    """How many characters at its end may be the beginning of the closing tag."""
    lengths = range(min(len(thought), len(CLOSING) - 1), 0, -1)
    return next((length for length in lengths if thought.endswith(CLOSING[:length])), 0)
