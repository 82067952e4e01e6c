"""The OpenAPI document, put together from the doors, the models of bodies and answers, and `operations`.

Owns the document's form. Pydantic makes the schemas: its dialect, JSON Schema 2020-12, is OpenAPI 3.1's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import URLPattern, get_script_prefix, reverse

from chats.api.door import Door
from chats.api.openapi.components import HEADERS, REFUSALS, component_schemas
from chats.api.openapi.operation import JSON, Answer, Operation, Parameter
from chats.api.openapi.operations import OPERATIONS

__all__ = ["document", "routes"]

Schema = dict[str, Any]

SAFE = ("get", "head")
NAMES = {
    "chat_id": "A chat's id, or the client's own name for it, percent-encoded.",
    "message_id": "A message's id.",
    "response_id": "A response's id: what `X-Response-Id` said, or the id of its message.",
    "kept_id": "Its id.",
    "file_id": "A file's id.",
}
ABOUT = """\
A chat's messages are a tree. A start makes a question in it and a run, whose events are numbered, stored and only then
shown; they add up to the answer.

- Version 1 only ever grows: pass over fields, values and addresses that you don't know.
- Bodies are JSON in UTF-8, 1 MiB at most; answers are JSON unless said otherwise. Ids are UUIDv7; times are ISO 8601
  in UTC.
- What isn't yours is `not_found`: nobody can tell it from what isn't there.
- A method that an address doesn't know is 405 `method_not_allowed`, with `Allow`.
- An access token opens what its scopes name: the scopes stand with each operation. A session opens all, and sends its
  CSRF token with all but GET.
- What is live for many chats on one connection is the websocket at `/ws/chat/`, which OpenAPI can't describe:
  docs/websocket.md does.
"""
TAGS = {
    "Asking": "Starts: both take the same body.",
    "Responses": "What runs make: events, messages, what you think of them.",
    "Chats": "Your chats, what was said in them, and how to find it.",
    "Choices": "Who may answer, how, and texts to begin with.",
    "Files": "Attachments. Limits are the site's: a file that is too large or of another type is refused.",
    "About": "The API itself.",
}


def document() -> Schema:
    """The whole document. Its addresses begin where this site is mounted."""
    return _document(get_script_prefix())


@lru_cache(maxsize=8)
def _document(mounted_at: str) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Chat Workbench", "version": "1", "description": ABOUT},
        "servers": [{"url": reverse("api:schema").removesuffix("/schema/")}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": _paths(),
        "components": {
            "securitySchemes": _security_schemes(),
            "headers": HEADERS,
            "responses": {name: _described(answer) for name, answer in REFUSALS.values()},
            "schemas": component_schemas(OPERATIONS),
        },
    }


def routes() -> Iterator[tuple[str, str, str, type[Door]]]:
    """(method, the address's name, path, door) of everything that can be asked."""
    from chats.api.urls import urlpatterns  # which knows the doors, this document's too

    for pattern in urlpatterns:
        if isinstance(pattern, URLPattern) and pattern.name and str(pattern.pattern):
            door: type[Door] = pattern.callback.cls  # type: ignore[attr-defined]
            path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
            methods = (method for method in door.http_method_names if hasattr(door, method) and method != "head")
            yield from ((method, pattern.name, path, door) for method in methods)


def _paths() -> Schema:
    """In the order of OPERATIONS. A route without an operation isn't there; a test asks for one for every route."""
    found = {(method.upper(), name): (path, door) for method, name, path, door in routes()}
    paths: dict[str, Schema] = {}
    for (method, name), operation in OPERATIONS.items():
        path, door = found[method, name]
        item = paths.setdefault(path, _path_item(path))
        item[method.lower()] = _operation(operation, method.lower(), name, door, named="{" in path)
    return paths


def _path_item(path: str) -> Schema:
    names = re.findall(r"{(\w+)}", path)
    parameters = [
        {"name": name, "in": "path", "required": True, "description": NAMES[name], "schema": {"type": "string"}}
        for name in names
    ]
    return {"parameters": parameters} if parameters else {}


def _operation(operation: Operation, method: str, name: str, door: type[Door], *, named: bool) -> Schema:
    scope = str(door().scope_of(method.upper()))
    session: Schema = {"session": []} if method in SAFE else {"session": [], "csrf": []}
    made: Schema = {
        "operationId": f"{method}_{name.replace('-', '_')}",
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [{"token": [scope]}, session],
        "responses": _responses(operation, named=named),
    }
    if operation.description:
        made["description"] = operation.description
    if operation.parameters:
        made["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body is not None:
        content: Schema = {"schema": _ref(operation.body.__name__), "example": dict(operation.example or {})}
        made["requestBody"] = {"required": True, "content": {JSON: content}}
    elif operation.takes_file:
        made["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _ref("FileForm")}}}
    return made


def _parameter(parameter: Parameter) -> Schema:
    made: Schema = {
        "name": parameter.name,
        "in": parameter.location,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }
    if parameter.required:
        made["required"] = True
    if parameter.schema.get("type") == "array":
        made["explode"] = False  # with commas between
    return made


def _responses(operation: Operation, *, named: bool) -> Schema:
    answers = {str(status): _described(answer) for status, answer in sorted(operation.answers.items())}
    refused = {401, 403, 500, 503, *operation.refusals}
    refused |= {404} if named else set()
    refused |= {400, 413} if operation.body or operation.takes_file else set()
    refused |= {400} if operation.parameters else set()
    for status in sorted(refused):
        answers[str(status)] = {"$ref": f"#/components/responses/{REFUSALS[status][0]}"}
    return answers


def _described(answer: Answer) -> Schema:
    made: Schema = {"description": answer.description}
    if answer.shape is not None:
        name = answer.shape.__name__
        made["content"] = {JSON: {"schema": _ref(f"{name}List" if answer.listed else name)}}
    elif answer.content:
        made["content"] = {
            media: {"schema": dict(schema)} if schema else {} for media, schema in answer.content.items()
        }
    if answer.headers:
        made["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in answer.headers}
    return made


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _security_schemes() -> Schema:
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token, made by an administrator, with scopes: `read` opens what is asked with "
            "GET and a socket ticket, `write` making, changing and deleting, `generate` starting and cancelling runs "
            "and sending files.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The site's login, for pages of the site itself. It opens all.",
        },
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRFToken",
            "description": f"With a session and any method but GET: the cookie `{settings.CSRF_COOKIE_NAME}`'s value.",
        },
    }
