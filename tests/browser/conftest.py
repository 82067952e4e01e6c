"""Sites, browsers and tabs. The browser lives as long as a module: a longer one keeps an event loop running, which
every asyncio test after it would trip over."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.browser.accounts import READERS
from tests.browser.site import Site, browsing, ready

LOST = (
    "WebSocket connection to",
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_INTERNET_DISCONNECTED",
    "ERR_EMPTY_RESPONSE",
)


@pytest.fixture(scope="module")
def one_site(tmp_path_factory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.kill()


@pytest.fixture
def site(one_site) -> Site:
    """The module's site, running, whatever the test before has done to it."""
    if not one_site.is_running:
        one_site.start()
    return one_site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def readers() -> Iterator[str]:
    return iter(READERS)


@pytest.fixture
def reader(readers) -> str:
    """A user of this test's own, with no chats."""
    return next(readers)


class Person:
    """Somebody with a browser of their own. Any complaint of a page on its console fails the test."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context = context
        self.site = site
        self.complaints: list[str] = []
        self.tolerated: tuple[str, ...] = ()

    def signed_in(self, user: str) -> Page:
        """The page of a new chat. How one signs in is shown by tests of its own."""
        self.context.add_cookies([self.site.session_of(user)])
        return self.tab(self.site.address)

    def tab(self, address: str, *, wait: bool = True) -> Page:
        """Another tab, of the same login. `wait`: until its socket is open, which it never is on the login page."""
        page = self._watched()
        page.goto(address)
        return ready(page) if wait else page

    def expect_losses(self) -> None:
        """The network will fail in this test, and the browser says so on the console."""
        self.tolerated = LOST

    def _watched(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(each in message.text for each in self.tolerated):
            self.complaints.append(f"{message.text} ({message.location})")


@pytest.fixture
def people(browser, site) -> Iterator[Callable[..., Person]]:
    """Makes a Person with options of a browser context (viewport, color_scheme, …), at another site if one is given."""
    made: list[Person] = []

    def make(at: Site = site, **options: Any) -> Person:
        person = Person(browser.new_context(**options), at)
        made.append(person)
        return person

    yield make
    for person in made:
        person.context.close()
    assert list(itertools.chain(*(person.complaints for person in made))) == []


@pytest.fixture
def person(people) -> Person:
    return people()
