"""The API's page in a browser: under the policy of all pages, without scripts, for everybody."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import SOURCE, violations

pytestmark = pytest.mark.browser
needs_axe = pytest.mark.skipif(not SOURCE.is_file(), reason="needs axe-core: npm ci --prefix deploy/npm")
DOCS = "/api/v1/docs/"


def test_the_contents_lead_to_an_operation_and_from_there_to_its_schema_without_javascript(people, reader, site):
    person = people(java_script_enabled=False)
    person.context.add_cookies([site.session_of(reader)])
    page = person.tab(site.address + DOCS, wait=False)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.get_by_role("navigation").get_by_role("link", name="Make a chat").click()
    operation = page.get_by_role("article", name="Make a chat")
    expect(operation.get_by_text("POST")).to_be_in_viewport()
    operation.get_by_role("link", name="NewChat").click()
    expect(page.get_by_role("article", name="NewChat").get_by_text("metadata")).to_be_in_viewport()
    assert [url for url in asked if not url.startswith(site.address)] == []


@needs_axe
@pytest.mark.parametrize(
    "screen", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}, "is_mobile": True}]
)
def test_axe_finds_nothing_and_nothing_is_cut_off(people, reader, site, screen):
    person = people(**screen)
    person.context.add_cookies([site.session_of(reader)])
    page = person.tab(site.address + DOCS, wait=False)
    expect(page.get_by_role("heading", name="HTTP API")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
