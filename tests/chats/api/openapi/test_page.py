"""The API's page: all that the document has, for people who are logged in, from here alone."""

import re

import pytest

from chats.api.openapi.document import document
from chats.api.openapi.page import prose, type_words
from tests.chats.api.makers import API, JSONClient
from tests.chats.api.openapi.contract import operations

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def page(client_of_owner: JSONClient) -> str:
    return client_of_owner.ask("GET", "/docs/", **BROWSER).content.decode()


def test_every_operation_and_every_schema_has_its_place(page: str) -> None:
    places = set(re.findall(r'id="([^"]+)"', page))
    assert {operation["operationId"] for _, _, operation in operations()} <= places
    assert {f"schema-{name}" for name in document()["components"]["schemas"]} <= places


def test_every_link_within_the_page_leads_somewhere(page: str) -> None:
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


def test_nothing_comes_from_elsewhere_and_nothing_is_a_script(page: str) -> None:
    assert re.findall(r'(?:src|href)="(?!/|#)', page) == []
    assert "<script" not in page
    assert "style=" not in page


def test_it_keeps_the_policy_of_every_page(client_of_owner: JSONClient) -> None:
    policy = client_of_owner.ask("GET", "/docs/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "trusted-types 'none'" in policy


@pytest.mark.usefixtures("db")
def test_a_browser_that_isnt_logged_in_is_led_to_the_login_and_back() -> None:
    response = JSONClient().ask("GET", "/docs/", **BROWSER)
    assert (response.status_code, response["Location"]) == (302, f"/login/?next={API}/docs/")


def test_its_own_words_are_german_for_who_reads_german(client_of_owner: JSONClient) -> None:
    page = client_of_owner.ask("GET", "/docs/", **BROWSER, **{"Accept-Language": "de"}).content.decode()
    assert '<html lang="de"' in page
    assert "Parameter</h4>" in page
    assert "Antworten</h4>" in page


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "uuid"}, "string (uuid)"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Part"}}, "list of Part"),
        ({"enum": ["up", "down"]}, '"up", "down"'),
        ({}, "any value"),
    ],
)
def test_a_type_is_said_in_words(schema: dict, words: str) -> None:
    assert "".join(text for text, _ in type_words(schema)) == words


def test_code_in_prose_is_told_from_the_rest() -> None:
    assert prose("Send `a` or `b`.") == [("Send ", False), ("a", True), (" or ", False), ("b", True), (".", False)]
