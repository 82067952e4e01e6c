"""Refusals and faults: one shape, the right status, nothing of the inside."""

import logging

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError

from chats import reading
from tests.chats.api.makers import JSONClient

MIB = 1 << 20


@pytest.mark.parametrize("path", ["/nothing", "/chats", "/generate/stream/", "/messages/", "/"])
def test_an_unknown_address_is_told_as_json_to_everybody(path: str) -> None:
    response = JSONClient().ask("GET", path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(("path", "neighbour"), [("/chats", "/chats/"), ("/generate/stream/", "/generate/stream")])
def test_a_slash_too_many_or_too_few_is_pointed_out(path: str, neighbour: str) -> None:
    assert f"Did you mean /api/v1{neighbour}?" in JSONClient().ask("POST", path, {}).json()["message"]


def test_a_wrong_method_is_told_which_are_right(client_of_owner: JSONClient) -> None:
    response = client_of_owner.ask("GET", "/generate/invoke")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "POST"


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream", "application/xml", "nonsense", ""])
def test_errors_are_json_whatever_is_accepted(client_of_owner: JSONClient, accept: str) -> None:
    response = client_of_owner.ask("GET", "/responses/x/events/", accept=accept)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [" ", "{", "nonsense", "[]", '"text"', "null", '{"a": NaN}', '{"a": -Infinity}', b"\xff{}", "[" * 100_000],
)
def test_what_is_no_json_object_is_invalid_json(client_of_owner: JSONClient, body: str | bytes) -> None:
    response = client_of_owner.ask("POST", "/chats/", body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_json")


def test_another_content_type_is_refused_by_name(client_of_owner: JSONClient) -> None:
    response = client_of_owner.post("/api/v1/chats/", "title=x", content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert "application/json" in response.json()["message"]


@pytest.mark.parametrize(("size", "status"), [(MIB, 400), (MIB + 1, 413)])
def test_a_body_may_have_a_mebibyte(client_of_owner: JSONClient, size: int, status: int) -> None:
    body = '{"x": "' + "y" * (size - 9) + '"}'
    assert len(body) == size
    assert client_of_owner.ask("POST", "/chats/", body).status_code == status


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": 5}, "title"),
        ({"titel": "x"}, "titel"),
        ({"metadata": []}, "metadata"),
        ('{"metadata": {"a": 1e999}}', "metadata"),
        ('{"metadata": ' + '{"a":' * 200 + "1" + "}" * 200 + "}", "metadata"),
        ({"name": "x" * 201}, "name"),
        ({"name": "01890a5d-ac96-774b-bcce-b302099a8057"}, "name"),
    ],
)
def test_a_wrong_field_is_named(client_of_owner: JSONClient, body: object, field: str) -> None:
    response = client_of_owner.ask("POST", "/chats/", body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert list(response.json()["fields"]) == [field]


def break_reading(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(reading, "chats_for", fail)


def test_a_fault_is_logged_once_and_told_by_its_number_alone(
    client_of_owner: JSONClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_reading(monkeypatch, RuntimeError("the secret of the inside"))
    client_of_owner.raise_request_exception = False
    response = client_of_owner.ask("GET", "/chats/")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert b"secret" not in response.content
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.correlation_id in response.json()["message"]
    assert "the secret of the inside" in str(record.exc_info)


def test_a_database_that_is_away_is_no_fault_of_the_client(
    client_of_owner: JSONClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_reading(monkeypatch, OperationalError("connection to 10.0.0.1 refused"))
    response = client_of_owner.ask("GET", "/chats/")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0
    assert b"10.0.0.1" not in response.content


def test_a_suspicious_request_is_invalid(client_of_owner: JSONClient, monkeypatch: pytest.MonkeyPatch) -> None:
    break_reading(monkeypatch, SuspiciousOperation("a path outside"))
    assert client_of_owner.ask("GET", "/chats/").json()["code"] == "invalid"


def test_no_answer_is_kept_by_caches(client_of_owner: JSONClient) -> None:
    response = client_of_owner.ask("GET", "/chats/")
    assert response["Cache-Control"] == "no-store"
    assert {"Accept", "Authorization", "Cookie"} <= {name.strip() for name in response["Vary"].split(",")}
