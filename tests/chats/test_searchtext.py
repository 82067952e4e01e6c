"""What is found by which words, and how it is shown. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.searchtext import (
    PIECE,
    Highlighted,
    highlight,
    parse_query,
    pieces_of,
    snippet_of,
    text_of,
    tokens_of,
)


def is_found(query: str, text: str) -> bool:
    """As a database does: each term's tokens in a row, the last of them begun."""
    tokens = tokens_of(text)

    def stands_at(start: int, wanted: list[str]) -> bool:
        row = tokens[start : start + len(wanted)]
        return len(row) == len(wanted) and row[:-1] == wanted[:-1] and row[-1].startswith(wanted[-1])

    return all(any(stands_at(at, term.tokens) for at in range(len(tokens))) for term in parse_query(query))


def marked(shown: Highlighted) -> list[str]:
    units = shown.text.encode("utf-16-le")
    return [units[2 * start : 2 * end].decode("utf-16-le") for start, end in shown.ranges]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("river", "All rivers"), ("ÜBER", "uber"), ("strasse", "Die Straße"), ("ｆｕｌｌ", "full"),
        ("nile rivers", "Rivers: Nile"),
        ('"blue nile"', "the Blue Nile"), ("foo-bar", "foo bar"), ("it's", "it's"), ("snake_case", "a snake_case b"),
        ("中", "我爱中国"), ("国", "我爱中国"), ("爱中", "我爱中国"), ("爱中国", "我爱中国"), ("GPT模型", "新GPT模型"),
        ("型gpt", "模型GPT"),
        ("検索", "日本語の検索"), ("ภาษา", "ฉันเรียนภาษาไทย"), ("검색", "검색엔진을"), ("हिन्दी", "मैं हिन्दी बोलता हूँ"),
    ],
)  # fmt: skip
def test_it_is_found(query: str, text: str) -> None:
    assert is_found(query, text)
    assert marked(snippet_of(text, parse_query(query)))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("iver", "rivers"),
        ('"nile blue"', "blue nile"),
        ("nile amazon", "nile"),
        ("中国", "中爱国"),
        ("riverside", "river"),
    ],
)
def test_it_is_not_found(query: str, text: str) -> None:
    assert not is_found(query, text)


@pytest.mark.parametrize("query", ["", '"', '""', "--", "(* AND", "🎉", "' OR 1=1"])
def test_no_query_is_too_odd_to_be_read(query: str) -> None:
    assert all(term.tokens for term in parse_query(query))


@given(st.text(min_size=1, max_size=40))
def test_every_text_finds_itself(text: str) -> None:
    assert is_found(text, text)


@given(st.text(max_size=300))
def test_a_run_without_spaces_changes_no_other_token(text: str) -> None:
    assert tokens_of(text + " 国") == [*tokens_of(text), "国"]


@given(st.text(max_size=300), st.text(max_size=12))
def test_a_snippets_ranges_lie_in_it_in_order(text: str, query: str) -> None:
    for shown in (snippet_of(text, parse_query(query)), highlight(text, parse_query(query))):
        ends = [
            0,
            *(edge for each in shown.ranges for edge in each),
            len(shown.text.encode("utf-16-le", "surrogatepass")) // 2,
        ]
        assert ends == sorted(ends)
        assert all(start < end for start, end in shown.ranges)


@given(st.text(alphabet="ab \n", max_size=300))
def test_pieces_are_the_text(text: str) -> None:
    long = text * 200
    pieces = list(pieces_of(long))
    assert "".join(piece for _, piece in pieces) == long
    assert [start for start, _ in pieces] == [sum(len(piece) for _, piece in pieces[:n]) for n in range(len(pieces))]
    assert all(len(piece) <= PIECE for _, piece in pieces)


def test_a_snippet_is_the_stretch_round_the_first_match_on_one_line() -> None:
    shown = snippet_of("a " * 300 + "🎉 The\nBlue Nile. " + "b " * 300, parse_query("nile blue"))
    assert "🎉 The Blue Nile." in shown.text
    assert len(shown.text) < 200
    assert (shown.text[0], shown.text[-1]) == ("…", "…")
    assert marked(shown) == ["Blue", "Nile"]


def test_highlights_count_as_javascript_does() -> None:
    assert highlight("🎉 Nile", parse_query("nile")).ranges == [(3, 7)]


def test_only_what_was_said_is_searched() -> None:
    parts = [
        {"kind": "text", "content": "said"},
        {"kind": "reasoning", "content": "thought"},
        {"kind": "tool-return", "tool_name": "t", "result": "returned", "content": ""},
        {"kind": "document", "title": "Report", "content": ""},
        {"kind": "file", "name": "q3.pdf", "content": ""},
    ]
    assert text_of(parts) == "said\nReport\nq3.pdf"
