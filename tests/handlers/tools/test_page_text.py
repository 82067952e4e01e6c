"""A web page's text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.tools.page_text import page_text

PAGE = """<!doctype html><html><head><title>Tides &amp; moons</title><style>p {color: red}</style>
<script>alert("no")</script></head><body><h1>Tides</h1><p>High   and
low.</p><ul><li>One</li><li>Two</li></ul><table><tr><td>a</td><td>b</td></tr></table>
<noscript>Enable it</noscript>5 &lt; 6</body></html>"""


def test_it_is_the_title_and_a_line_for_each_block() -> None:
    title, *lines = [line for line in page_text(PAGE).splitlines() if line]
    assert title == "Tides & moons"
    assert lines == ["Tides", "High and", "low.", "One", "Two", "a b", "5 < 6"]


def test_a_head_without_an_end_hides_nothing_of_the_body() -> None:
    assert page_text("<head><meta charset=utf-8><body>Hello") == "Hello"


@given(st.text(alphabet="<>/!-abc&;\"' =headscripttitle", max_size=200))
def test_any_text_is_read(html: str) -> None:
    assert isinstance(page_text(html), str)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<!-- <p>no</p> -->a<!-- no -->b", "a b"),
        ("a<!-- b", "a b"),
        ("5 < 6 <b>and</b> 7", "5 < 6 and 7"),
        ("<!doctype html><?xml?><![CDATA[a]]>", "a]]>"),
        ("<svg>no<svg>no</svg>no</svg>yes", "yes"),
        ("<svg/>yes", "yes"),
        ("<object>no<svg>no</object>yes", "yes"),
    ],
)
def test_what_is_text_and_what_isnt(html: str, text: str) -> None:
    assert page_text(html) == text


@pytest.mark.timeout(60)  # read again for each that doesn't end, such a page takes many minutes
@pytest.mark.parametrize(
    "piece",
    ["<a", "<a b='", "<a b='>", "<!--", "<!", "<?", "<![CDATA[", "<![CDATA[>", "</", "</a ", "<svg>x</y>", "<script><"],
)
def test_a_hostile_page_is_read_once(piece: str) -> None:
    html = piece * (500_000 // len(piece))
    assert len(page_text(html)) <= len(html)
