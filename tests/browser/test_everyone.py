"""The page for everybody: axe in every state, keys alone, a phone, another language, another direction."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import SOURCE, violations
from tests.browser.site import ask, ready, sign_in
from tests.browser.test_attachments import CAT, NOTES, chips, give, pick
from tests.browser.test_chat import LONG, answer_of, finished, stop
from tests.browser.test_composer import box_of, made, prompts_of, say
from tests.browser.test_sidebar import choose
from tests.browser.test_uploads import Slow

pytestmark = pytest.mark.browser
needs_axe = pytest.mark.skipif(not SOURCE.is_file(), reason="needs axe-core: npm ci --prefix deploy/npm")


class States:
    """One page, checked in one state after the other; what is wrong is told with its state."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []

    def check(self, state: str) -> None:
        # Contrast is of what stands still: a colour on its way is neither the one nor the other.
        self.page.evaluate("Promise.allSettled(document.getAnimations().filter((each) => each.playState == 'running' "
                           "&& each.constructor.name == 'CSSTransition').map((each) => each.finished))")  # fmt: skip
        for found in violations(self.page):
            self.wrong += [f"{state}: {found['id']} at {where}" for where in found["where"]]


def check_dialogs(states: States) -> None:
    page = states.page
    page.keyboard.press("Control+/")
    expect(page.locator("dialog.help")).to_be_visible()
    states.check("help")
    page.keyboard.press("Escape")
    page.get_by_label("Answered by").select_option("chat")
    page.get_by_role("button", name="Options", exact=True).click()
    expect(page.locator("dialog.options")).to_be_visible()
    states.check("options")
    page.keyboard.press("Escape")


def check_keeping(states: States) -> None:
    page = states.page
    made(page, "personas", name="Pirate", prompt="Speak like a pirate.")
    page.get_by_role("button", name="Your personas").click()
    page.get_by_role("button", name="Delete: Pirate").click()
    states.check("personas")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New persona…").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    states.check("a persona that is refused")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def check_writing(states: States) -> None:
    page = states.page
    made(page, "prompts", name="Sum up", text="Sum this up:")
    box_of(page).press("/")
    expect(prompts_of(page)).to_have_count(1)
    states.check("prompts")
    page.keyboard.press("Backspace")
    give(page, "dragover", [NOTES])
    expect(page.locator("#dropping")).to_be_visible()
    states.check("dropping")
    give(page, "dragend", [])
    expect(page.locator("#dropping")).to_be_hidden()
    slow = Slow(page)
    pick(page, NOTES, {**NOTES, "name": "refused.txt"}, uploaded=False)
    slow.next()
    slow.next().fulfill(status=415, content_type="application/json", body='{"message": "This is no text."}')
    expect(page.locator(".chip[data-state=failed]")).to_have_count(1)
    states.check("uploading and refused")
    page.unroute_all()
    for name in ("notes.txt", "refused.txt"):
        page.get_by_role("button", name=f"Remove {name}").click()
    give(page, "paste", text="Very long. " * 400)
    pick(page, CAT)
    expect(page.locator(".chip[data-state=ready]")).to_have_count(2)
    states.check("attached")
    ask(page, "text one")
    finished(page)
    states.check("answered, with attachments")
    page.locator(".message.request").get_by_role("button", name="Edit").click()
    expect(page.locator(".editor .kept")).to_be_visible()
    states.check("editing, with attachments")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="New chat").click()
    expect(page.locator("#thread .message")).to_have_count(0)


def check_messages(states: States) -> None:
    page = states.page
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("1/240")
    states.check("streaming")
    say(page, "complex")
    expect(page.locator("#queue li")).to_have_count(1)
    states.check("queue")
    stop(page)
    finished(page, "cancelled")
    page.get_by_role("button", name="Send now").click()
    expect(answer_of(page)).to_contain_text("numbered and stored", timeout=30_000)
    finished(page)
    for card in page.locator(".message details").all():
        card.evaluate("card => (card.open = true)")
    states.check("answered, cards open")
    answer_of(page).get_by_role("button", name="Bad answer").click()
    expect(page.get_by_label("What was wrong?")).to_be_focused()
    states.check("comment")
    page.keyboard.press("Escape")
    page.locator(".message.request").last.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Your message, edited")).to_be_focused()
    states.check("editing")
    page.keyboard.press("Escape")
    ask(page, "error raise")
    finished(page, "error")
    states.check("error")


def check_list(states: States) -> None:
    page = states.page
    page.get_by_label("Search your chats").fill("slow")
    expect(page.locator("#search-results li")).to_have_count(1)
    states.check("search")
    page.get_by_label("Search your chats").fill("")
    page.locator("#chat-list li[data-chat]").first.hover()
    page.get_by_role("button", name=f"More: {LONG}").click()
    expect(page.get_by_role("menu")).to_be_visible()
    states.check("menu")
    page.keyboard.press("Escape")
    choose(page, LONG, "Delete")
    expect(page.locator(".toast")).to_be_visible()
    states.check("toast")


@needs_axe
@pytest.mark.timeout(240)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(people, reader, site, scheme):
    person = people(color_scheme=scheme)
    person.tolerated = ("status of 415", "status of 400")  # of the refused upload and persona
    page = person.tab(site.address, wait=False)
    states = States(page)
    states.check("login")
    sign_in(page, site.address, reader)
    ready(page)
    states.check("empty")
    check_dialogs(states)
    check_keeping(states)
    check_writing(states)
    check_messages(states)
    check_list(states)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert states.wrong == []


@needs_axe
def test_axe_finds_nothing_on_a_phone_without_a_connection_and_in_the_drawer(people, reader, site):
    person = people(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    person.expect_losses()
    page = person.signed_in(reader)
    states = States(page)
    pick(page, NOTES, CAT)
    states.check("attached")
    ask(page, "complex")
    page.get_by_role("button", name="Send").click()
    finished(page)
    states.check("answered")
    page.get_by_role("button", name="Chats").click()
    expect(page.locator("#sidebar").get_by_role("link", name="New chat")).to_be_visible()
    states.check("drawer")
    page.keyboard.press("Escape")
    site.kill()
    expect(page.locator("#banner")).to_be_visible()
    states.check("offline")
    assert states.wrong == []


def test_a_conversation_needs_no_mouse(person, reader):
    page = person.signed_in(reader)
    expect(box_of(page)).to_be_focused()
    page.keyboard.type("Hello there")
    page.keyboard.press("Enter")
    finished(page)
    expect(box_of(page)).to_be_focused()
    page.keyboard.press("Alt+ArrowUp")
    expect(answer_of(page)).to_be_focused()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".message.request")).to_be_focused()
    page.keyboard.press("Shift+Escape")
    expect(box_of(page)).to_be_focused()
    page.keyboard.press("Control+Shift+O")
    expect(page.get_by_role("heading", level=1)).to_have_text("New chat")
    page.keyboard.press("Alt+Shift+ArrowDown")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello there")


def test_the_help_lists_the_keys_and_a_single_key_can_be_turned_off(person, reader):
    page = person.signed_in(reader)
    box_of(page).press("?")
    expect(box_of(page)).to_have_value("?")
    box_of(page).fill("")
    page.locator("#scroller").focus()
    page.keyboard.press("?")
    help_dialog = page.get_by_role("dialog", name="Keyboard")
    expect(help_dialog).to_contain_text("Stop the answer")
    help_dialog.get_by_label("Single keys").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#scroller")).to_be_focused()
    page.keyboard.press("?")
    page.keyboard.press("Control+/")
    expect(page.get_by_role("dialog")).to_have_count(1)


def test_a_german_browser_gets_a_german_page(people, reader, site):
    page = people(locale="de-DE", timezone_id="Europe/Berlin").tab(site.address, wait=False)
    page.get_by_label("Benutzername").fill(reader)
    page.get_by_label("Passwort").fill("correct horse")
    page.get_by_role("button", name="Anmelden").click()
    ready(page)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Neuer Chat")
    page.get_by_role("button", name="Prompts").click()
    expect(page.locator(".prompt-menu")).to_contain_text("Sie haben noch keine Prompts.")
    page.keyboard.press("Escape")
    give(page, "paste", [CAT])
    page.get_by_role("button", name="cat.png entfernen").click()
    expect(chips(page)).to_have_count(0)
    expect(page.get_by_label("Darstellung").locator("option:checked")).to_have_text("System")
    page.get_by_label("Antwort von").select_option("demo")
    page.get_by_label("Nachricht", exact=True).fill("text eins")
    page.keyboard.press("Enter")
    finished(page)
    expect(page.locator("#announcer")).to_have_text("Die Antwort ist vollständig.")
    expect(page.locator("#chat-list h2")).to_have_text("Heute")
    expect(answer_of(page).get_by_role("button", name="Kopieren", exact=True)).to_be_visible()


def test_words_that_go_from_right_to_left_do_so(person, reader):
    page = person.signed_in(reader)
    ask(page, "text שלום עולם")
    finished(page)
    say(page, "שלום")
    finished(page)
    question = page.locator(".message.request").last
    expect(question.locator("[dir=auto]").first).to_have_css("direction", "rtl")
    box_of(page).fill("שלום")
    expect(box_of(page)).to_have_css("direction", "rtl")


def test_who_wants_less_motion_gets_none(people, reader):
    page = people(reduced_motion="reduce").signed_in(reader)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("1/240")
    moving = "document.getAnimations().filter((each) => each.playState === 'running').length"
    assert page.evaluate(moving) == 0
    stop(page)
    finished(page, "cancelled")
