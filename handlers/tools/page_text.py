"""The text of a web page, without what only browsers need. Pure.

Note [hostile pages]: Python's HTMLParser looks for the end of whatever begins with `<`, up to the page's end, and again
for the next: half a megabyte of tags that never end took minutes. What doesn't end before the next `<` is made text
beforehand; comments and declarations, where other rules hold, are cut out.
"""

import re
from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "head", "iframe", "object"})
_BREAKS = frozenset(
    {"address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "footer", "form", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
_NO_MARKUP = re.compile(r"<(?![^<>]*>)")
_DECLARATION = re.compile(r"<!\[CDATA\[|<[!?][^<>]*>")


def page_text(html: str) -> str:
    """Title first, then the text, a line for each block. Takes time in proportion to the length, whatever is in it."""
    reader = _Reader()
    reader.feed(_NO_MARKUP.sub("&lt;", _DECLARATION.sub(" ", _without_comments(html))))
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).splitlines())
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    title = " ".join("".join(reader.title).split())
    return f"{title}\n\n{text}" if title else text


def _without_comments(html: str) -> str:
    """One that doesn't end is none: in a script it may be anything."""
    kept, place = [], 0
    while (start := html.find("<!--", place)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        kept.append(html[place:start])
        place = end + 3
    return " ".join([*kept, html[place:].replace("<!--", " ")])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.title: list[str] = []
        self._silent = ""  # the element that isn't text in which the reader is, the outermost one
        self._depth = 0  # how many of its name are open
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "title":
            self._in_title = True
        elif tag == "body":
            self._silent = ""  # a head needs no end
        elif tag in _SILENT:
            self._open_silent(tag)
        elif tag in _BREAKS:
            self.pieces.append("\n")
        elif tag in {"td", "th"}:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag == self._silent:
            self._depth -= 1
            self._silent = self._silent if self._depth else ""
        elif tag in _BREAKS:
            self.pieces.append("\n")

    def _open_silent(self, tag: str) -> None:
        if not self._silent:
            self._silent, self._depth = tag, 1
        elif tag == self._silent:
            self._depth += 1

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._silent:
            self.pieces.append(data)
