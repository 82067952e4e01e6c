"""Pictures of the page's states, to look at: `python -m tests.browser.screenshots [folder]` (var/screenshots).

Desktop and phone, light and dark. Nothing is asserted here; the tests beside do that.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.accounts import ADMIN, READERS
from tests.browser.site import Site, ask, browsing, ready, sign_in

SCREENS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
LONG = (
    "text Could you also say what a cursor is?\n\nThis question has three paragraphs.\n\nAnd a rather long last line."
)
WRITTEN = """text So, in short:

## What a cursor is

A **cursor** is the number of the last event that a client has *seen*. It is how `after` is meant in a request:

1. The client says where it is.
2. The server sends what came later:
   - what is stored, from the table,
   - what is new, as it comes.

```python
async def events_after(cursor: int) -> AsyncIterator[Event]:
    # What is stored first, then what comes.
    async for event in stored(cursor):
        yield event  # numbered without gaps
```

| Client | Cursor | Is sent |
|---|--:|---|
| a new tab | 0 | everything |
| after a pause | 118 | 119 and later |

> A dropped connection delays an answer. It can't change it.

The mean wait is $\\bar{w} = \\frac{1}{n}\\sum_{i=1}^{n} w_i$. See [the pages about cursors](https://example.org/cursors).
"""
TITLES = (
    "Questions for the next release", "Why the index is slow after an import", "A letter to the landlord",
    "Names for the new library", "Regular expressions for dates", "The garden in March", "Notes of Tuesday's meeting",
    "Translate the opening hours", "Bread without kneading", "Explain the error of the nightly backup",
)  # fmt: skip


class Camera:
    """Takes numbered pictures of one reader's page on one screen in one colour scheme."""

    def __init__(self, browser: Browser, site: Site, folder: Path, screen: str, scheme: str) -> None:
        self.site = site
        self.prefix = folder / f"{screen}-{scheme}"
        self.is_phone = screen == "phone"
        self.context = browser.new_context(viewport=SCREENS[screen], color_scheme=scheme, has_touch=self.is_phone)
        self.page = self.context.new_page()
        self.number = 0

    def take(self, name: str, page: Page | None = None) -> None:
        self.number += 1
        path = f"{self.prefix}-{self.number:02}-{name}.png"
        (page or self.page).screenshot(path=path)
        print(path)

    def ask(self, text: str) -> None:
        ask(self.page, text)
        if self.is_phone:
            self.page.get_by_role("button", name="Send", exact=True).click()

    def finished(self, status: str = "completed") -> None:
        expect(self.page.locator("#composer")).not_to_contain_class("busy")
        expect(self.page.locator(".message.response").last).to_have_attribute("data-status", status)


def photograph(camera: Camera, reader: str) -> None:
    page = camera.page
    page.goto(camera.site.address)
    camera.take("login")
    sign_in(page, camera.site.address, reader)
    ready(page)
    camera.take("empty")
    photograph_options(camera)
    camera.ask("complex")
    expect(page.locator(".message.response").last).to_contain_text("numbered and stored")
    camera.take("streaming")
    camera.finished()
    camera.take("answered")
    for card in page.locator(".message details").all():
        card.evaluate("card => (card.open = true)")
    page.locator("#scroller").evaluate("scroller => (scroller.scrollTop = 0)")
    camera.take("cards-open")
    photograph_branches(camera)
    photograph_endings(camera)
    photograph_list(camera)
    photograph_writing(camera)


def photograph_options(camera: Camera) -> None:
    page = camera.page
    page.get_by_label("Answered by").select_option("chat")
    page.get_by_role("button", name="Options", exact=True).click()
    expect(page.locator("dialog")).to_be_visible()
    camera.take("options")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+/")
    expect(page.locator("dialog.help")).to_be_visible()
    camera.take("keyboard")
    page.keyboard.press("Escape")


def photograph_branches(camera: Camera) -> None:
    page = camera.page
    camera.ask(LONG)
    camera.finished()
    page.get_by_role("button", name="Answer again").last.click()
    expect(page.locator(".response .count").last).to_have_text("2 / 2")
    camera.finished()
    page.get_by_role("button", name="Bad answer").last.click()
    expect(page.get_by_label("What was wrong?")).to_be_visible()
    camera.take("versions-and-feedback")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit").last.click()
    expect(page.get_by_label("Your message, edited")).to_be_visible()
    camera.take("editing")
    page.keyboard.press("Escape")


def photograph_endings(camera: Camera) -> None:
    page = camera.page
    camera.ask("error raise")
    camera.finished("error")
    camera.take("error")
    camera.ask("error recover")
    camera.finished()
    camera.ask("slow")
    expect(page.locator(".message.response").last).to_contain_text("3/120")
    for text in ("text something that came to mind meanwhile, and that is too long for its line", "text two"):
        page.get_by_label("Message", exact=True).fill(text)
        page.get_by_role("button", name="Queue").click()
    camera.take("queue")
    page.get_by_role("button", name="Stop").click()
    camera.finished("cancelled")
    camera.take("stopped-and-recovered")


def photograph_list(camera: Camera) -> None:
    page = camera.page
    if camera.is_phone:
        page.get_by_role("button", name="Chats").click()
        camera.take("drawer")
    page.locator("#chat-list li[data-chat]").first.hover()
    page.locator("#chat-list .more").first.click()
    expect(page.get_by_role("menu")).to_be_visible()
    camera.take("menu")
    page.keyboard.press("Escape")
    page.get_by_label("Search your chats").fill("question")
    expect(page.locator("#search-results mark").first).to_be_visible()
    camera.take("search")
    page.get_by_label("Search your chats").fill("")
    if camera.is_phone:
        page.keyboard.press("Escape")


def photograph_writing(camera: Camera) -> None:
    """Headings, lists, code, a table and a formula, beside a list with chats in it."""
    page = camera.page
    cookies = {cookie["name"]: cookie["value"] for cookie in camera.context.cookies()}
    headers = {"X-CSRFToken": cookies["csrftoken"], "Referer": camera.site.address}
    for title in TITLES:
        page.request.post(f"{camera.site.address}/api/v1/chats/", headers=headers, data={"title": title})
    page.goto(camera.site.address)
    ready(page)
    camera.ask(WRITTEN)
    camera.finished()
    expect(page.locator(".katex").first).to_be_visible()
    camera.take("writing")
    page.locator("#scroller").evaluate("scroller => (scroller.scrollTop -= 520)")
    camera.take("writing-above")
    if camera.is_phone:
        page.get_by_role("button", name="Chats").click()
        camera.take("long-list")
        page.keyboard.press("Escape")


def photograph_trouble(cameras: list[Camera], site: Site) -> None:
    site.kill()
    for camera in cameras:
        camera.page.get_by_label("Message", exact=True).fill("half a thought")
        expect(camera.page.locator("#banner")).to_be_visible()
        camera.take("connection-lost")
    site.start()
    for camera in cameras:
        ready(camera.page)
        other = camera.context.new_page()
        other.goto(site.address)
        other.evaluate("document.querySelector('form[action=\"/logout/\"]').submit()")
        expect(camera.page.locator("#banner")).to_contain_text("signed out")
        camera.take("signed-out")


def photograph_admin(camera: Camera) -> None:
    page = camera.page
    sign_in(page, f"{camera.site.address}/login/?next=/admin/chats/chat/", ADMIN)
    expect(page.locator("#result_list")).to_be_visible()
    camera.take("admin-chats")
    page.get_by_role("link", name="Read", exact=True).first.click()
    page.get_by_label("Why do you read this chat?").fill("A complaint about a wrong answer")
    camera.take("admin-reason")
    page.get_by_role("button", name="Read").click()
    expect(page.locator(".message").first).to_be_visible()
    camera.take("admin-transcript")
    page.get_by_role("link", name="Event log", exact=True).first.click()
    expect(page.locator(".log")).to_be_visible()
    camera.take("admin-log")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, browsing() as browser:
        site = Site(Path(temporary))
        cameras = [Camera(browser, site, folder, screen, scheme) for screen in SCREENS for scheme in SCHEMES]
        for camera, reader in zip(cameras, READERS, strict=False):
            photograph(camera, reader)
        photograph_trouble(cameras, site)
        for scheme in SCHEMES:
            photograph_admin(Camera(browser, site, folder, "desktop", scheme))
        site.kill()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/screenshots"))
