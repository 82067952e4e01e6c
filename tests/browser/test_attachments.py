"""Files with a message: picked, pasted, dropped; refused, sent, had again. Their way to the server: test_uploads."""

import base64
import re
import struct
import zlib

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import HeldEnds, HeldStarts, ready
from tests.browser.test_chat import answer_of, finished, stored
from tests.browser.test_composer import box_of, say, waiting_in

pytestmark = pytest.mark.browser


def picture(width: int = 40, height: int = 30) -> bytes:
    """A PNG, all of one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + b"\x2a\x64\x54" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


NOTES = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"The Nile is 6650 km long."}
CAT = {"name": "cat.png", "mimeType": "image/png", "buffer": picture()}


def chips(page: Page):
    return page.locator(".attached .chip")


def pick(page: Page, *files: dict, uploaded: bool = True) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files([*files])
    if uploaded:
        for file in files:
            chip = chips(page).filter(has_text=file["name"]).last
            expect(chip).to_have_attribute("data-state", "ready")


def give(page: Page, event: str, files: list[dict] = (), text: str = "", target: str = "#content") -> None:
    """A paste, or something dragged or dropped: Playwright has no clipboard and no desktop. A `dragover` goes on, as it
    does under a hand, until the next of these."""
    held = [{**file, "buffer": base64.b64encode(file["buffer"]).decode()} for file in files]
    page.evaluate(
        """([target, event, files, text]) => {
            const held = new DataTransfer();
            for (const { name, mimeType: type, buffer } of files)
                held.items.add(new File([Uint8Array.from(atob(buffer), (each) => each.charCodeAt(0))], name, { type }));
            if (text) held.setData("text/plain", text);
            const common = { bubbles: true, cancelable: true };
            const make = () => event === "paste"
                ? new ClipboardEvent(event, { ...common, clipboardData: held })
                : new DragEvent(event, { ...common, dataTransfer: held });
            const happen = () => document.querySelector(target).dispatchEvent(make());
            clearInterval(window.dragging);
            if (event === "dragover") window.dragging = setInterval(happen, 50);
            happen();
        }""",
        [target, event, held, text],
    )


def requests_of(page: Page) -> list[list[dict]]:
    return [message["parts"] for message in stored(page) if message["kind"] == "request"]


def test_a_file_and_an_image_are_sent_with_a_question_and_shown_with_it_also_after_a_reload(person, reader):
    page = person.signed_in(reader)
    pick(page, NOTES, CAT)
    expect(chips(page).first).to_contain_text("25 bytes")
    page.get_by_label("Answered by").select_option("demo")
    say(page, "text one")
    finished(page)
    expect(chips(page)).to_have_count(0)
    for _ in range(2):
        question = page.locator(".message.request")
        expect(question).to_contain_text("text one")
        expect(question.get_by_role("link", name="notes.txt")).to_have_attribute("download", "notes.txt")
        thumbnail = question.get_by_role("img", name="cat.png")
        thumbnail.scroll_into_view_if_needed()
        expect(thumbnail).to_have_js_property("naturalWidth", 40)
        page.reload()
        ready(page)
    assert [part["kind"] for part in requests_of(page)[0]] == ["text", "file", "image"]


def test_attachments_alone_are_a_message(person, reader):
    page = person.signed_in(reader)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    pick(page, CAT)
    page.get_by_role("button", name="Send", exact=True).click()
    finished(page)
    assert [part["kind"] for part in requests_of(page)[0]] == ["image"]


def test_what_is_attached_is_downloaded_as_it_was(person, reader):
    page = person.signed_in(reader)
    pick(page, NOTES)
    say(page, "Hello")
    finished(page)
    with page.expect_download() as download:
        page.locator(".message.request").get_by_role("link", name="notes.txt").click()
    assert download.value.suggested_filename == "notes.txt"
    assert download.value.path().read_bytes() == NOTES["buffer"]


def test_an_image_that_is_pasted_is_attached_and_words_are_words(person, reader):
    page = person.signed_in(reader)
    give(page, "paste", [CAT])
    expect(chips(page)).to_contain_text("cat.png")
    give(page, "paste", [CAT], text="Both, as from a table")
    expect(chips(page)).to_have_count(2)
    page.evaluate("document.querySelector('#content').focus()")
    page.keyboard.insert_text("short")
    expect(box_of(page)).to_have_value("short")


def test_a_long_text_that_is_pasted_becomes_a_file_and_text_again(person, reader):
    page = person.signed_in(reader)
    text = "The Nile is long. " * 300
    give(page, "paste", text=text)
    expect(chips(page)).to_contain_text("Pasted text.txt")
    expect(chips(page)).to_have_attribute("data-state", "ready")
    expect(box_of(page)).to_have_value("")
    page.reload()
    ready(page)
    page.get_by_role("button", name="Insert as text").click()
    expect(box_of(page)).to_have_value(text)
    expect(chips(page)).to_have_count(0)


def test_what_is_dropped_anywhere_is_attached_under_an_overlay(person, reader):
    page = person.signed_in(reader)
    give(page, "dragover", [NOTES], target="#chat-list")
    expect(page.locator("#dropping")).to_be_visible()
    give(page, "drop", [NOTES], target="#chat-list")
    expect(chips(page)).to_contain_text("notes.txt")
    expect(page.locator("#dropping")).to_be_hidden()


def test_something_of_the_pages_own_whose_dragging_never_ended_keeps_no_file_away(person, reader):
    page = person.signed_in(reader)
    give(page, "dragstart", target="#chat-list")
    page.mouse.move(200, 200)
    give(page, "drop", [NOTES])
    expect(chips(page)).to_contain_text("notes.txt")


def test_what_is_too_large_too_many_or_no_document_is_refused_at_once_and_said(person, reader):
    page = person.signed_in(reader)
    uploads: list[str] = []
    page.on("request", lambda request: uploads.append(request.url) if request.url.endswith("/files/") else None)
    pick(page, {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"ID3"}, uploaded=False)
    expect(page.locator(".toast")).to_contain_text("song.mp3")
    pick(page, {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""}, uploaded=False)
    expect(page.locator(".toast").last).to_contain_text("is empty")
    page.evaluate(
        """() => {
            const held = new DataTransfer();
            held.items.add(new File([new Uint8Array(70 * 2 ** 20)], "film.txt", { type: "text/plain" }));
            document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: held }));
        }"""
    )
    expect(page.locator(".toast").last).to_contain_text("is too large: at most")
    expect(chips(page)).to_have_count(0)
    assert uploads == []


def test_more_files_than_a_message_may_have_are_refused(person, reader):
    page = person.signed_in(reader)
    most = page.evaluate("JSON.parse(document.getElementById('page-data').textContent).uploads.max_files")
    many = [{**NOTES, "name": f"{number}.txt"} for number in range(most + 1)]
    pick(page, *many, uploaded=False)
    expect(page.locator(".toast")).to_contain_text(f"At most {most} files")
    expect(chips(page)).to_have_count(most)
    expect(page.locator(".chip[data-state=ready]")).to_have_count(most)


def test_who_attaches_an_image_is_told_that_the_model_cant_see_it(person, reader):
    page = person.signed_in(reader)
    page.get_by_label("Answered by").select_option("chat")
    pick(page, CAT)
    expect(page.locator("#why-not")).to_contain_text("can’t see images")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    page.get_by_label("Answered by").select_option("demo")
    expect(page.locator("#why-not")).to_be_hidden()


def test_what_is_attached_is_seen_though_its_style_sheet_is_missing(person, reader):
    person.tolerated = ("composer.css", "ERR_FAILED")
    page = person.signed_in(reader)
    page.route("**/composer*.css", lambda route: route.abort())
    pick(page, NOTES)
    expect(chips(page)).to_be_visible()


def test_an_attachment_is_removed_with_the_keyboard_and_on_the_server_too(person, reader):
    page = person.signed_in(reader)
    pick(page, NOTES, CAT)
    remove = page.get_by_role("button", name="Remove notes.txt")
    remove.focus()
    with page.expect_response(re.compile(r"/files/[0-9a-f-]+/$")) as answer:
        page.keyboard.press("Enter")
    assert (answer.value.request.method, answer.value.status) == ("DELETE", 204)
    expect(page.get_by_role("button", name="Remove cat.png")).to_be_focused()
    page.keyboard.press("Enter")
    expect(chips(page)).to_have_count(0)
    expect(box_of(page)).to_be_focused()


def test_attachments_stay_with_their_draft_from_chat_to_chat_and_over_a_reload(person, reader):
    page = person.signed_in(reader)
    say(page, "text one")
    finished(page)
    pick(page, NOTES)
    page.get_by_role("link", name="New chat").click()
    expect(chips(page)).to_have_count(0)
    pick(page, CAT)
    page.reload()
    ready(page)
    expect(chips(page)).to_contain_text("cat.png")
    page.locator("#chat-list a").click()
    expect(chips(page)).to_contain_text("notes.txt")
    expect(chips(page)).to_have_count(1)


def test_attachments_wait_with_their_message_and_are_sent_with_it(person, reader):
    page = person.signed_in(reader)
    ends = HeldEnds(page)
    page.get_by_label("Answered by").select_option("demo")
    say(page, "slow 1")
    expect(answer_of(page)).to_have_attribute("data-status", "running")
    pick(page, NOTES)
    say(page, "text two")
    expect(waiting_in(page)).to_contain_text("text two")
    expect(waiting_in(page).locator(".attached-to")).to_have_text("1")
    ends.let_go()
    expect(answer_of(page)).to_contain_text("You wrote: two")
    finished(page)
    assert [[part["kind"] for part in parts] for parts in requests_of(page)] == [["text"], ["text", "file"]]


def test_a_waiting_message_is_taken_back_with_what_is_attached(person, reader):
    page = person.signed_in(reader)
    page.get_by_label("Answered by").select_option("demo")
    say(page, "slow")
    expect(answer_of(page)).to_contain_text("1/120")
    pick(page, NOTES)
    say(page, "")
    expect(waiting_in(page)).to_have_text("notes.txt")
    page.reload()
    ready(page)
    waiting_in(page).get_by_role("button", name="Edit").click()
    expect(chips(page)).to_contain_text("notes.txt")


def test_a_message_that_is_refused_comes_back_with_what_is_attached(person, reader):
    page = person.signed_in(reader)
    starts = HeldStarts(page)
    pick(page, NOTES)
    say(page, "text one")
    expect(page.locator(".message.request")).to_contain_text("notes.txt")
    starts.refuse()
    expect(box_of(page)).to_have_value("text one")
    expect(chips(page)).to_contain_text("notes.txt")
    expect(page.locator("#thread .message")).to_have_count(0)


def test_an_edited_question_keeps_what_is_attached_unless_it_is_taken_out(person, reader):
    page = person.signed_in(reader)
    page.get_by_label("Answered by").select_option("demo")
    pick(page, NOTES, CAT)
    say(page, "text one")
    finished(page)
    page.locator(".message.request").get_by_role("button", name="Edit").click()
    page.locator(".editor").get_by_role("button", name="Remove notes.txt").click()
    expect(page.locator(".editor").get_by_role("button", name="Remove cat.png")).to_be_focused()
    page.get_by_label("Your message, edited").fill("text two")
    page.keyboard.press("Control+Enter")
    expect(answer_of(page)).to_contain_text("You wrote: two")
    finished(page)
    assert [part["kind"] for part in requests_of(page)[-1]] == ["text", "image"]


def test_the_transcript_shows_attachments_without_javascript_too(people, person, reader):
    page = person.signed_in(reader)
    pick(page, NOTES, CAT)
    say(page, "Hello")
    finished(page)
    cookies = page.context.cookies()
    plain = people(java_script_enabled=False)
    plain.context.add_cookies(cookies)
    bare = plain.tab(page.url, wait=False)
    question = bare.locator(".message.request")
    expect(question.get_by_role("link", name="notes.txt")).to_have_attribute("download", "notes.txt")
    expect(question.get_by_role("img", name="cat.png")).to_be_visible()


def test_on_a_phone_chips_and_buttons_are_in_reach_and_nothing_is_cut_off(people, reader):
    phone = {"width": 390, "height": 844}
    page = people(viewport=phone, has_touch=True, is_mobile=True).signed_in(reader)
    long_name = {**NOTES, "name": "a name that is much longer than any phone is wide, and then some more.txt"}
    pick(page, long_name, CAT)
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    for button in page.locator("#composer button:visible").all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 24
        assert 0 <= box["x"] <= phone["width"] - box["width"]
