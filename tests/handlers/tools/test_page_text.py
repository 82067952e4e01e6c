"""A web page's text."""

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
