"""Markdown in a browser: the same however it came, and harmless whatever it says."""

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from tests.browser.accounts import READERS
from tests.browser.conftest import Person
from tests.browser.rendering import rendered, shown

pytestmark = [pytest.mark.browser, pytest.mark.npm]

PIECES = st.sampled_from(
    [
        *("a", "word ", "\n", "\n\n", "\n\n", "- ", "1. ", "2)", "10. ", "  ", "    ", "\t", "> ", "# ", "## ", "#"),
        *("```", "```js\n", "~~~", "`", "|a|b|\n", "|-|-|\n", "|", "---", "***", "*", "**", "_", "~~", "<div>", "<b>"),
        *("</b>", "<!--", "-->", "<sub>", "</sub>", "<a href='x'>", "[", "](", ")", "[a]", "[a]: http://x.y\n", "[1]"),
        *(
            "http://x.y ",
            "![i](http://x.y/i.png)",
            "$",
            "$$",
            "\\[",
            "\\]",
            "\\(x\\)",
            "$x^2$",
            "\\",
            "&amp;",
            "&#8364;",
        ),
        *("- [ ] ", "- [x] ", "===", "\r\n", "\r", "é", "😀", "\u202e", "<br>", "2 < 3", "$5 and $10"),
    ]
)
DOCUMENTS = st.lists(PIECES, max_size=24).map("".join)
TOUR = """# Title

Some **bold**, *slanted* and `code`, a [link](https://example.org/a), and $e=mc^2$.

1. one
   - inner
2. two

   with a paragraph

| a | b |
|---|:-:|
| 1 | `x` |

```python
def f():
    return 1

print(f())
```

> quoted [1]

$$
\\int_0^1 x\\,dx
$$

Last [reference][r].

[r]: https://example.org/r
"""


@pytest.fixture(scope="module")
def desk(browser, one_site):
    """One page for the module, with no chat open; complaints on its console fail the test that they came in."""
    person = Person(browser.new_context(), one_site)
    page = person.signed_in(READERS[-1])
    page.complaints = person.complaints
    shown(page, "$x$")  # from now on KaTeX is there, and formulas come at once
    expect(page.locator(".katex")).to_be_visible()
    yield page
    person.context.close()


@pytest.fixture
def page(desk) -> Page:
    desk.complaints.clear()
    yield desk
    assert desk.complaints == []


@given(text=DOCUMENTS, data=st.data())
@example(text=TOUR, data=None)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_chunking_of_a_document_gives_the_same_elements(desk, text, data):
    length = len(text.encode("utf-16-le")) // 2
    every = list(range(1, length))
    cuts = every if data is None else sorted(data.draw(st.sets(st.sampled_from(every)))) if every else []
    assert rendered(desk, text, cuts) == rendered(desk, text)


def test_settled_blocks_stay_the_nodes_that_they_were(page):
    kept = page.evaluate(
        """async (text) => {
          const { MarkdownDocument } = await import("wb/markdown/document");
          const element = document.createElement("div");
          const rendered = new MarkdownDocument(element, { onCitation: (_, raw) => document.createTextNode(raw) });
          let known = [], lost = 0;
          for (let end = 1; end <= text.length; end += 1) {
            rendered.show(text.slice(0, end), end === text.length);
            const nodes = [...element.querySelectorAll(":scope > .run > *")];
            lost += known.slice(0, -2).filter((node) => !nodes.includes(node)).length;
            known = nodes;
          }
          return [lost, known.length];
        }""",
        TOUR.split("Last", maxsplit=1)[0],
    )
    assert kept[0] == 0
    assert kept[1] > 6


def test_a_tour_of_markdown_becomes_its_elements(page):
    shown(page, TOUR)
    thread = page.locator("#thread")
    expect(thread.get_by_role("heading", level=3)).to_have_text("Title")
    link = thread.get_by_role("link", name="link")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(link).to_have_attribute("target", "_blank")
    expect(thread.get_by_role("link", name="reference")).to_have_attribute("href", "https://example.org/r")
    expect(thread.locator("ol > li")).to_have_count(2)
    expect(thread.locator("td code")).to_have_text("x")
    expect(thread.locator(".code .language")).to_have_text("python")
    expect(thread.locator(".code .hljs-keyword").first).to_have_text("def")
    expect(thread.locator(".math .katex")).to_have_count(2)


def test_money_is_no_formula(page):
    shown(page, "It was $5 and is $10 now, or US$20; between $5-$6. $20 per month or 30$. `$HOME`/$HOME/$USER")
    expect(page.locator("#thread .math")).to_have_count(0)


def test_code_is_copied_as_it_was_written(people, reader):
    person = people(permissions=["clipboard-read", "clipboard-write"])
    page = person.signed_in(reader)
    code = "if a < b:\n\tprint('&amp;')"
    shown(page, f"```python\n{code}\n```")
    page.locator(".code .copy").click()
    expect(page.locator(".code .copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == code


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java&#115;cript:alert(1)",
        "&#1;javascript:alert(1)",
        "java\\script:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//elsewhere.example/x",
        "/\\elsewhere.example",
        "blob:x",
    ],
)
def test_a_link_to_anything_but_the_web_is_none(page, address):
    shown(page, f"[words]({address}) <{address}> [other][x]\n\n[x]: {address}")
    assert page.locator("#thread a").evaluate_all("links => links.map((link) => link.href)") == []
    expect(page.locator("#thread")).to_contain_text("words")


def test_a_link_says_where_it_leads_if_its_words_say_otherwise(page):
    shown(page, "[bank.example](https://thief.example/) and [www.honest.example/a](https://honest.example/a)")
    expect(page.locator("#thread a").first).to_have_text("bank.example (thief.example)")
    expect(page.locator("#thread a").last).to_have_text("www.honest.example/a")


def test_images_from_elsewhere_are_links_and_nothing_is_asked_of_anybody(page, site):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    text = "![a](https://spy.example/a.png?q=secret) <img src=https://spy.example/b.png> ![c](//spy.example/c.png)\n\n"
    shown(page, text + "<link rel=stylesheet href=https://spy.example/d.css>\n\n```html\n<img src=//spy.example>\n```")
    expect(page.locator("#thread .hljs-tag").first).to_be_visible()
    expect(page.locator("#thread img")).to_have_count(0)
    expect(page.get_by_role("link", name="a", exact=True)).to_have_attribute(
        "href", "https://spy.example/a.png?q=secret"
    )
    assert [url for url in asked if not url.startswith(site.address)] == []


def test_html_is_shown_as_it_was_written(page):
    attributes = "<img src=x onerror=\"document.title = 'x'\"> <b onclick=x>b</b>\n\n<svg onload=x>"
    text = f"<script>document.title = 'x'</script>\n\n{attributes}"
    shown(page, text)
    expect(page.locator("#thread")).to_contain_text("<script>document.title = 'x'</script>")
    expect(page.locator("#thread")).to_contain_text("onerror=")
    expect(page.locator("#thread").locator("script, img, svg, b, [onclick], [onload], [onerror]")).to_have_count(0)


def test_tags_that_models_write_are_kept_without_attributes(page):
    shown(page, "H<sub>2</sub>O, press <kbd>Esc</kbd><br>next, <sub>open")
    assert page.locator("#thread p").inner_html() == "H<sub>2</sub>O, press <kbd>Esc</kbd><br>next, &lt;sub&gt;open"


def test_characters_that_turn_the_order_round_are_dropped_in_prose_and_shown_in_code(page):
    shown(page, "[\u202egro.live](https://evil.example) a\u2066b\n\n```\nif (admin\u202e) {\n```")
    assert not set("\u202e\u2066") & set(page.locator("#thread").inner_text())
    expect(page.locator("#thread .turning")).to_have_text("U+202E")


def test_lists_and_tables_go_the_way_their_words_are_written(page):
    shown(page, "1. פריט\n2. item\n\n- item\n- פריט\n\n|עמודה|\n|-|\n|x|")
    ways = page.locator("#thread").locator("ol, ul, .table").evaluate_all("all => all.map((each) => each.dir)")
    assert ways == ["rtl", "ltr", "rtl"]


@pytest.mark.parametrize(
    "text",
    [
        "- " * 10_000 + "deep",
        "".join("  " * min(level, 5_000) + "- item\n" for level in range(1_000)),
        "> " * 10_000 + "deep",
        "*a **b " * 2_000,
        "[" * 10_000,
        "![" * 5_000,
        "$$ a\n" * 3_000,
        "`" * 20_001,
        "|a" * 2_000 + "\n" + "|-" * 2_000 + "\n|x|",
        "```\nnever closed\n" + "x\n" * 10_000,
        "<!-- never closed\n" + "x\n" * 5_000,
    ],
    ids=[
        "list",
        "steps",
        "quotation",
        "marks",
        "brackets",
        "images",
        "dollars",
        "ticks",
        "columns",
        "fence",
        "comment",
    ],
)
def test_what_is_made_to_exhaust_the_page_leaves_it_working(page, text):
    shown(page, text)
    began = time.monotonic()
    shown(page, "still **here**")
    assert time.monotonic() - began < 60
    expect(page.locator("#thread strong")).to_have_text("here")


def test_wide_tables_and_code_scroll_and_the_page_does_not(people, reader):
    page = people(viewport={"width": 390, "height": 844}).signed_in(reader)
    wide = "|" + "column |" * 20
    shown(page, f"{wide}\n|{'-|' * 20}\n{wide}\n\n```\n{'x' * 500}\n```\n\n$$ {'x + ' * 100} y $$\n\n{'w' * 500}")
    expect(page.locator(".math .katex")).to_have_count(1)
    scrolls = "element => element.scrollWidth > element.clientWidth"
    assert page.locator("#thread .table").evaluate(scrolls)
    assert page.locator("#thread .code pre").evaluate(scrolls)
    assert not page.locator("#scroller").evaluate(scrolls)
    assert not page.locator("html").evaluate(scrolls)
