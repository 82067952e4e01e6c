"""Thoughts within an answer's text are told apart, wherever the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.models.thinking import ThoughtSplitter


def split(*pieces: str) -> tuple[str, str]:
    """The thoughts and the answer."""
    splitter = ThoughtSplitter()
    found = [each for piece in pieces for each in splitter.feed(piece)] + list(splitter.finish())
    assert all(text for _, text in found)
    return tuple("".join(text for kind, text in found if kind == wanted) for wanted in ("reasoning", "text"))


@pytest.mark.parametrize(
    ("said", "thoughts", "answer"),
    [
        ("<think>\nThey ask of salt.\n</think>\n\nRivers bring it.", "They ask of salt.", "Rivers bring it."),
        ("\n<think>One.\n\nTwo.</think>Yes. ", "One.\n\nTwo.", "Yes. "),
        ("<think>\n\n</think>\n\nYes.", "", "Yes."),
        ("Write <think> first.</think>", "", "Write <think> first.</think>"),
        ("<think>Is 1 </ 2? </thin", "Is 1 </ 2? </thin", ""),
        ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
        ("<thi", "", "<thi"),
        (" ", "", " "),
        ("<thinking>", "", "<thinking>"),
        ("", "", ""),
    ],
)
def test_only_what_stands_in_tags_at_the_beginning_is_a_thought(said, thoughts, answer):
    assert split(said) == (thoughts, answer)


TEXT = st.text(alphabet="<>/think a\n", max_size=30) | st.sampled_from(["<think>", "</think>", "</thi", "<think>a b "])


@given(st.lists(TEXT, max_size=8))
def test_however_the_stream_is_cut_the_same_is_found(pieces):
    whole = "".join(pieces)
    assert split(*pieces) == split(whole)
    assert split(*whole) == split(whole)


@given(thought=st.text(max_size=50), answer=st.text(min_size=1, max_size=50))
def test_nothing_that_is_said_gets_lost(thought, answer):
    thought = thought.replace("</think>", "")
    assert split(f"<think>{thought}</think>{answer}") == (thought.strip(), answer.lstrip())


def test_a_piece_that_can_be_shown_isnt_held_back():
    splitter = ThoughtSplitter()
    assert list(splitter.feed("<think>They ask")) == [("reasoning", "They ask")]
    assert list(splitter.feed(" of salt.</think>Rivers")) == [("reasoning", " of salt."), ("text", "Rivers")]
    assert list(splitter.feed(" bring")) == [("text", " bring")]
