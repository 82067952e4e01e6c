"""Files over HTTP: sent, had again, given up; by whom, of what type and how large."""

import io
import zipfile
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from chats.engine import Engine
from chats.files import File
from tests.chats.api.makers import API, JSONClient, bearer_of, logged_in
from workbench.models import User

pytestmark = pytest.mark.usefixtures("engine", "media")

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


@pytest.fixture
def media(settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def send(client: Client, content: bytes = PNG, name: str = "photo.png", said: str = "", **headers: str) -> Any:
    body = {"file": SimpleUploadedFile(name, content, said or "application/octet-stream")}
    return client.post(f"{API}/files/", body, headers=headers or None)


def sent(client: Client, content: bytes = PNG, name: str = "photo.png") -> dict[str, Any]:
    answer = send(client, content, name)
    assert answer.status_code == 201, answer.content
    part: dict[str, Any] = answer.json()
    return part


def have(client: JSONClient, part: dict[str, Any], **headers: str) -> Any:
    return client.ask("GET", f"/files/{part['file_id']}/", **headers)


def archive_of(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, "<xml/>")
    return written.getvalue()


def test_an_image_comes_back_as_it_was_and_may_be_shown(client_of_owner: JSONClient) -> None:
    part = sent(client_of_owner)
    assert part == {
        "kind": "image", "file_id": part["file_id"], "name": "photo.png", "mime_type": "image/png", "size": len(PNG),
        "alt": "", "content": "",
    }  # fmt: skip
    answer = have(client_of_owner, part)
    assert b"".join(answer) == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"] == "private, no-cache"


def test_what_the_browser_has_isnt_sent_again(client_of_owner: JSONClient) -> None:
    part = sent(client_of_owner)
    again = have(client_of_owner, part, **{"If-None-Match": have(client_of_owner, part)["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_nobody_else_has_it(client_of_owner: JSONClient, stranger: User) -> None:
    part = sent(client_of_owner)
    for client in (logged_in(stranger), bearer_of(stranger)):
        assert have(client, part).status_code == 404
        assert client.ask("DELETE", f"/files/{part['file_id']}/").status_code == 404
    assert JSONClient().ask("GET", f"/files/{part['file_id']}/").status_code == 401
    assert have(client_of_owner, part).status_code == 200


@pytest.mark.parametrize(
    ("method", "scope"), [("POST", "generate"), ("GET", "read"), ("DELETE", "generate")]
)  # fmt: skip
def test_a_token_needs_the_scope(client_of_owner: JSONClient, owner: User, method: str, scope: str) -> None:
    path = f"/files/{sent(client_of_owner)['file_id']}/"
    others = {"read", "write", "generate"} - {scope}

    def ask(client: JSONClient) -> int:
        status: int = (send(client) if method == "POST" else client.ask(method, path)).status_code
        return status

    assert ask(bearer_of(owner, *others)) == 403
    assert ask(bearer_of(owner, scope)) in {200, 201, 204}


def test_a_session_needs_its_csrf_token(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert send(client).status_code == 403
    assert not File.objects.exists()
    client.get("/")
    token = client.cookies["csrftoken"].value
    assert send(client, **{"X-CSRFToken": token}).status_code == 201


@pytest.mark.parametrize(
    ("content", "name", "mime_type", "kind"),
    [
        (b"\xff\xd8\xff\xe0rest", "a.png", "image/jpeg", "image"),
        (b"GIF89a" + bytes(9), "a", "image/gif", "image"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a.webp", "image/webp", "image"),
        (PDF, "q3.pdf", "application/pdf", "file"),
        (b"plain words", "notes", "text/plain", "file"),
        ("# Größe".encode(), "a.md", "text/markdown", "file"),
        (b"a,b\n1,2\n", "A.CSV", "text/csv", "file"),
        (b"<svg onload='alert(1)'/>", "a.svg", "image/svg+xml", "file"),
        (b"<script>alert(1)</script>", "photo.png", "text/plain", "file"),
        (b"<script>alert(1)</script>", "a.html", "text/html", "file"),
        (archive_of("[Content_Types].xml", "word/document.xml"), "a.docx",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "file"),
        (archive_of("[Content_Types].xml", "xl/workbook.xml"), "b",
         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "file"),
    ],
)  # fmt: skip
def test_the_type_is_what_the_content_is(
    client_of_owner: JSONClient, content: bytes, name: str, mime_type: str, kind: str
) -> None:
    part = sent(client_of_owner, content, name)
    assert (part["mime_type"], part["kind"]) == (mime_type, kind)
    disposition = have(client_of_owner, part)["Content-Disposition"]
    assert disposition.startswith("inline" if kind == "image" else "attachment")


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"MZ\x90\x00\x03", "a.txt"), (archive_of("a.txt"), "a.docx"), (b"PK\x03\x04cut", "a.docx"),
     (b"caf\xe9 in Latin-1", "a.txt"), (b"\x00\x01\x02", "a.png")],
)  # fmt: skip
def test_other_types_are_refused(client_of_owner: JSONClient, content: bytes, name: str) -> None:
    answer = send(client_of_owner, content, name, "image/png")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_type")
    assert not File.objects.exists()


def test_a_file_over_the_limit_is_refused(client_of_owner: JSONClient, settings: Any, media: Any) -> None:
    settings.WORKBENCH_MAX_FILE_BYTES = 1000
    for size in (1001, 200_000):
        answer = send(client_of_owner, b"x" * size, "a.txt")
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert sent(client_of_owner, b"x" * 1000, "a.txt")["size"] == 1000


def test_an_empty_file_is_refused(client_of_owner: JSONClient) -> None:
    answer = send(client_of_owner, b"", "a.txt")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["file"])


def test_a_body_without_a_file_is_refused(client_of_owner: JSONClient) -> None:
    assert client_of_owner.ask("POST", "/files/", {"file": "x"}).status_code == 400
    for body in ({}, {"other": SimpleUploadedFile("a.txt", b"x")}, {"file": "words"}):
        answer = client_of_owner.post(f"{API}/files/", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_user_has_so_much_room(client_of_owner: JSONClient, settings: Any) -> None:
    settings.WORKBENCH_MAX_STORAGE_PER_USER = 2 * len(PNG)
    first, _ = sent(client_of_owner), sent(client_of_owner)
    refused = send(client_of_owner)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused["Retry-After"]) > 0
    client_of_owner.ask("DELETE", f"/files/{first['file_id']}/")
    sent(client_of_owner)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\q3.txt", "q3.txt"),
        ("a\u202egnp.exe\u2066.txt", "agnp.exe.txt"),
        ("مرحبا.txt", "مرحبا.txt"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_names_are_for_showing(client_of_owner: JSONClient, name: str, kept: str) -> None:
    part = sent(client_of_owner, b"words", name)
    assert part["name"].replace(" ", "") == kept
    disposition = have(client_of_owner, part)["Content-Disposition"]
    assert "\n" not in disposition
    assert disposition.isascii()


def test_in_the_storage_a_file_has_no_name_of_its_owners(client_of_owner: JSONClient, media: Any) -> None:
    part = sent(client_of_owner)
    found = [path for path in media.rglob("*") if path.is_file()]
    assert [path.name for path in found] == [part["file_id"]]
    assert found[0].stat().st_mode & 0o077 == 0


def test_what_no_message_uses_can_be_given_up(client_of_owner: JSONClient, engine: Engine) -> None:
    part = sent(client_of_owner)
    stored_as = File.objects.get().stored_as
    assert client_of_owner.ask("DELETE", f"/files/{part['file_id']}/").status_code == 204
    assert have(client_of_owner, part).status_code == 404
    engine.tidying._tidy()
    assert not File.objects.exists()
    assert not default_storage.exists(stored_as)


def test_bytes_that_the_storage_lost_are_not_found(client_of_owner: JSONClient) -> None:
    part = sent(client_of_owner)
    default_storage.delete(File.objects.get().stored_as)
    assert have(client_of_owner, part).status_code == 404


def test_a_storage_that_fails_leaves_nothing_to_find(
    client_of_owner: JSONClient, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*args: Any, **kwargs: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(default_storage._wrapped), "save", full)
    answer = send(client_of_owner)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    engine.tidying._tidy()
    assert not File.objects.exists()


def test_a_start_over_http_takes_a_file_as_the_upload_gave_it(client_of_owner: JSONClient) -> None:
    part = sent(client_of_owner, b"words", "notes.txt")
    body = {"task": "demo", "message": {"parts": [{"content": "text"}, part]}}
    answer = client_of_owner.ask("POST", "/generate/invoke", body)
    assert answer.status_code == 200, answer.content
    request = client_of_owner.get_json(f"/messages/{answer.json()['parent_id']}/")
    assert request["parts"] == [{"kind": "text", "content": "text"}, part]
    assert client_of_owner.ask("DELETE", f"/files/{part['file_id']}/").status_code == 409


def test_a_start_over_http_with_anothers_file_is_not_found(client_of_owner: JSONClient, stranger: User) -> None:
    part = sent(client_of_owner)
    refused = logged_in(stranger).ask("POST", "/generate/invoke", {"task": "demo", "parts": [part]})
    assert (refused.status_code, list(refused.json()["fields"])) == (404, ["parts.0.file_id"])
