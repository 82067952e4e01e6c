"""The OpenAPI document: valid, complete, and made of what the code itself goes by."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from chats.api.openapi.document import document, routes
from chats.api.openapi.operations import OPERATIONS
from chats.protocol import STATUS_OF
from handlers.events import BUILT_IN_EVENTS
from tests.chats.api.makers import JSONClient
from tests.chats.api.openapi.contract import operations, schema_problems
from tests.processes import ROOT

every_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), list(operations()), ids=lambda value: value if isinstance(value, str) else ""
)


def test_the_document_is_valid_openapi() -> None:
    sent = json.loads(json.dumps(document()))
    assert sent["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(sent).iter_errors()] == []


def test_every_route_has_its_operation_and_no_operation_is_left_over() -> None:
    assert {(method.upper(), name) for method, name, _, _ in routes()} == set(OPERATIONS)


def test_every_parameter_that_a_door_reads_is_described() -> None:
    sources = [path.read_text() for path in (ROOT / "chats" / "api").glob("*.py")]
    read = {name for source in sources for name in re.findall(r'query_params\.get(?:list)?\("(\w+)"', source)}
    described = {
        parameter["name"]
        for _, _, operation in operations()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    }
    assert read == described


def test_every_field_of_a_body_says_what_it_is_for() -> None:
    schemas = document()["components"]["schemas"]
    bodies = ["RequestPart", "ContextItem"] + [
        content["schema"]["$ref"].rpartition("/")[2]
        for _, _, operation in operations()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    ]
    fields = [(name, field, schema) for name in bodies for field, schema in schemas[name]["properties"].items()]
    assert [(name, field) for name, field, schema in fields if not schema.get("description")] == []


@every_operation
def test_the_example_of_a_body_is_one(method: str, path: str, operation: Any) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "example" in content:
            assert schema_problems(content["schema"], content["example"]) == []


def test_the_error_body_names_every_code_that_http_can_send() -> None:
    codes = set(document()["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"])
    assert codes == (set(STATUS_OF) - {"unknown_type"}) | {"internal", "method_not_allowed"}


def test_every_code_stands_with_the_refusal_of_its_status() -> None:
    answers = document()["components"]["responses"].values()
    words = " ".join(answer["description"] for answer in answers)
    assert all(f"`{code}`" in words for code in STATUS_OF if code != "unknown_type")


def test_an_event_has_the_fields_that_its_class_gives_it_but_none_that_clients_never_see() -> None:
    schemas = document()["components"]["schemas"]
    for event in BUILT_IN_EVENTS:
        properties = schemas[event.__name__]["properties"]
        assert properties["type"] == {"const": event.type}
        assert not {"emit", "persist"} & set(properties)
    assert "details" not in schemas["ErrorEvent"]["properties"]


def test_a_null_parent_isnt_told_to_be_the_same_as_none() -> None:
    assert "default" not in document()["components"]["schemas"]["GenerateBody"]["properties"]["parent_id"]


def test_what_a_change_doesnt_name_has_no_default() -> None:
    changes = document()["components"]["schemas"]["ChatChange"]["properties"]
    assert [name for name, schema in changes.items() if "default" in schema] == []


def test_a_token_finds_its_scope_and_a_session_its_csrf_header() -> None:
    cancel = document()["paths"]["/responses/{response_id}/cancel/"]["post"]
    assert cancel["security"] == [{"token": ["generate"]}, {"session": [], "csrf": []}]
    assert document()["components"]["securitySchemes"]["csrf"]["name"] == "X-CSRFToken"


@pytest.mark.usefixtures("db")
def test_it_is_sent_as_it_is_and_once(client_of_owner: JSONClient) -> None:
    response = client_of_owner.ask("GET", "/schema/")
    assert response.json() == json.loads(json.dumps(document()))
    again = client_of_owner.ask("GET", "/schema/", **{"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
