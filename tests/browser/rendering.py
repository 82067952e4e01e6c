"""Markdown as the page's own modules render it, on a page of the site, under its policy."""

from playwright.sync_api import Page

# Renders in as many steps as there are cuts, and gives the markup, but of code its text alone: colours come later.
RENDER = """
async ([text, cuts]) => {
  const { MarkdownDocument } = await import("wb/markdown/document");
  await (await import("wb/threadview")).dressed();
  const element = Object.assign(document.createElement("div"), { className: "prose" });
  document.getElementById("thread").replaceChildren(element);
  const onCitation = (number, raw) => Object.assign(document.createElement("span"), { textContent: raw });
  const rendered = new MarkdownDocument(element, { onCitation });
  for (const cut of cuts) rendered.show(text.slice(0, cut), false);
  rendered.show(text, true);
  const clone = element.cloneNode(true);
  for (const code of clone.querySelectorAll("pre code")) code.textContent = code.textContent;
  return clone.innerHTML;
}
"""


def rendered(page: Page, text: str, cuts: list[int] | None = None) -> str:
    """The markup of `text` that came in pieces, cut at `cuts` (in UTF-16 units, as JavaScript counts)."""
    return str(page.evaluate(RENDER, [text, cuts or []]))


def shown(page: Page, text: str) -> None:
    """Leaves `text`, rendered, in the thread."""
    rendered(page, text)
