"""Counting, outlining and quoting text without understanding it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.models.offline_text import Source, describe_counts, outline_of, quotations, quoted, sentences_of


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("A line\nanother", ["A line", "another"]),
        ("“Yes.” No.", ["“Yes.”", "No."]),
        ("一。二。", ["一。", "二。"]),
        ("... \n\n ", []),
        ("", []),
    ],
)
def test_text_is_split_into_sentences(text: str, sentences: list[str]) -> None:
    assert sentences_of(text) == sentences


def test_counts_are_in_words() -> None:
    assert describe_counts("One two.\nThree.") == "3 words, 2 sentences, 2 lines, 15 characters"
    assert describe_counts("One") == "1 word, 1 sentence, 1 line, 3 characters"


def test_an_outline_keeps_headings_and_lists_in_their_depth() -> None:
    text = "# Title\nProse that is left out.\n## Part\n- first\n  - inner\n3. third"
    assert outline_of(text) == ["- **Title**", "  - **Part**", "  - first", "    - inner", "  - third"]


def test_an_outline_of_prose_is_how_its_paragraphs_begin() -> None:
    assert outline_of("First one. More.\n\nSecond one. More.") == ["- First one.", "- Second one."]


def test_an_outline_of_one_paragraph_is_its_sentences() -> None:
    assert outline_of("First. Second.") == ["- First.", "- Second."]


def test_a_long_outline_says_how_much_it_leaves_out() -> None:
    assert outline_of("\n".join(f"- item {number}" for number in range(100)))[-1] == "- … and 70 more"


def test_quotations_share_telling_words_and_the_best_comes_first() -> None:
    sources = [
        Source("a", "The cat sat. The dog barked at the cat."),
        Source("b", "Nothing of the sort."),
    ]
    found = quotations("Did the dog bark, or was it the cat that barked?", sources)
    assert [(source.title, sentence) for source, sentence in found] == [
        ("a", "The dog barked at the cat."),
        ("a", "The cat sat."),
    ]


def test_words_that_say_nothing_find_nothing() -> None:
    assert quotations("what is the", [Source("a", "What is the matter?")]) == []


def test_every_line_is_quoted() -> None:
    assert quoted("a\n\nb\n") == "> a\n>\n> b"


@given(st.text())
def test_any_text_can_be_counted_and_outlined(text: str) -> None:
    assert describe_counts(text)
    assert len(outline_of(text)) <= 31
