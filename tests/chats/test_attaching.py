"""Starts with attachments: whose they may be, what is stored of them, and what a handler gets."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from chats import editing, uploads
from chats.engine import Engine
from chats.exportformats import FORMATS
from chats.fields import new_id
from chats.files import File, part_of
from chats.models import Chat, Message
from chats.runs import start_run
from chats.searchtext import text_of
from chats.uploads import open_bytes
from handlers.base import BaseTaskHandler
from handlers.errors import AttachmentError
from handlers.events import ContentEvent, ImageEvent
from tests.chats.attaching import PNG, kept, part
from tests.chats.scripted import body_of, handler_class, wait_for_end
from tests.chats.starting import begin, counts, end, finished, refusal
from workbench.models import User


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any, engine: Engine) -> Any:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def user(engine: Engine) -> User:
    return User.objects.create_user("ann")


def request_of(started: Any) -> Message:
    return Message.objects.get(pk=started.message_id)


def state_of(file: File) -> str:
    file.refresh_from_db()
    return file.state


def test_an_attachment_is_stored_as_the_server_knows_it(user: User) -> None:
    file = kept(user)
    lie = part(file, name="other.exe", mime_type="text/html", size=7, alt="A dot")
    request = request_of(begin(user, parts=[{"content": "Look"}, lie]))
    assert request.parts[0] == {"kind": "text", "content": "Look"}
    assert request.parts[1] == {
        "kind": "image", "file_id": str(file.pk), "name": "photo.png", "mime_type": "image/png", "size": len(PNG),
        "content": "", "alt": "A dot",
    }  # fmt: skip
    assert list(request.files.all()) == [file]
    assert state_of(file) == "used"


def test_attachments_alone_are_a_message_and_name_the_chat(user: User) -> None:
    started = begin(user, parts=[part(kept(user)), part(kept(user, b"words", "notes.txt"))])
    assert Chat.objects.get(pk=started.chat_id).title == "photo.png, notes.txt"


def test_no_start_uses_what_isnt_the_users_or_isnt_there(user: User) -> None:
    foreign = kept(User.objects.create_user("bob"))
    for file_id in (str(foreign.pk), str(new_id()), str(uuid4()), "x"):
        refused = refusal(user, parts=[{"content": "Look"}, {"kind": "image", "file_id": file_id}])
        assert (refused.code, list(refused.fields)) == ("not_found", ["parts.1.file_id"])
    assert state_of(foreign) == "unused"


def test_an_attachment_has_to_be_named(user: User) -> None:
    with pytest.raises(ValueError, match=r"parts.1.file_id\s+Field required"):
        body_of(parts=[{"content": "Look"}, {"kind": "file"}])


def test_a_message_may_have_so_many_attachments(user: User, settings: Any) -> None:
    settings.WORKBENCH_MAX_FILES_PER_MESSAGE = 1
    first, second = kept(user), kept(user)
    assert refusal(user, parts=[part(first), part(second)]).fields.keys() == {"parts"}
    begin(user, parts=[part(first)])


def test_the_same_start_sent_again_attaches_though_the_file_is_gone(user: User) -> None:
    file = kept(user)
    fields = {"request_id": "r", "parts": [part(file)]}
    started = begin(user, **fields)
    File.objects.update(state=File.State.GONE)
    assert begin(user, **fields).response_id == started.response_id


def test_several_messages_and_chats_use_one_file(user: User) -> None:
    file = kept(user)
    first = finished(user, parts=[part(file)])
    edited = finished(user, chat_id=first.chat_id, parent_id=None, parts=[{"content": "Now?"}, part(file)])
    other = finished(user, parts=[part(file)])
    again = begin(user, None, chat_id=first.chat_id, parent_id=edited.message_id)
    assert again.message_id == edited.message_id
    assert {str(pk) for pk in file.messages.values_list("pk", flat=True)} == {
        first.message_id, edited.message_id, other.message_id,
    }  # fmt: skip


def test_a_file_goes_with_the_last_chat_that_uses_it(user: User, engine: Engine) -> None:
    file = kept(user)
    chats = [finished(user, parts=[part(file)]).chat_id for _ in range(2)]
    editing.delete_chat(user, chats[0])
    assert state_of(file) == "used"
    editing.delete_chat(user, chats[1])
    engine.tidying._tidy()
    assert state_of(file) == "gone"
    assert not default_storage.exists(file.stored_as)
    assert refusal(user, parts=[part(file)]).code == "not_found"


def test_what_nobody_used_in_a_day_goes_and_what_is_used_stays(user: User, engine: Engine) -> None:
    unused, used, fresh = kept(user), kept(user), kept(user)
    end(begin(user, parts=[part(used)]))
    File.objects.exclude(pk=fresh.pk).update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    engine.tidying._tidy()
    assert set(File.objects.all()) == {used, fresh}
    assert not default_storage.exists(unused.stored_as)
    assert default_storage.exists(used.stored_as)


def test_bytes_whose_deletion_failed_are_deleted_later(
    user: User, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = kept(user)
    File.objects.update(state=File.State.LEAVING)
    with monkeypatch.context() as patched:
        patched.setattr(type(default_storage._wrapped), "delete", _fails)
        engine.tidying._tidy()
    assert state_of(file) == "leaving"
    engine.tidying._tidy()
    assert not File.objects.exists()
    assert not default_storage.exists(file.stored_as)


def _fails(*args: Any) -> None:
    raise OSError("the disk is away")


async def reads(self: BaseTaskHandler, *, user_message: Any, message_history: Any) -> Any:
    for message in [*message_history, user_message]:
        for attached in message.parts:
            if attached.kind != "text":
                try:
                    yield ContentEvent(content=f"{len(await attached.read())} ")
                except AttachmentError as error:
                    yield ContentEvent(content=f"{error.message} ")


def answer_to(user: User, **fields: Any) -> str:
    response_id = start_run(user, body_of(**fields)).response_id
    return wait_for_end(response_id).text


@pytest.mark.parametrize("cooperative", [False, True])
def test_handlers_read_what_is_attached_now_and_before(user: User, register: Any, cooperative: bool) -> None:
    register(handler_class(reads, cooperative=cooperative))
    answer_to(user, task="scripted", chat_id="c", parts=[part(kept(user))])
    assert answer_to(user, task="scripted", chat_id="c", parts=[part(kept(user, b"words", "a"))]) == "48 5 "


def test_a_file_whose_bytes_are_lost_is_an_attachment_error(
    user: User, register: Any, caplog: pytest.LogCaptureFixture
) -> None:
    register(handler_class(reads))
    file = kept(user)
    default_storage.delete(file.stored_as)
    assert answer_to(user, task="scripted", parts=[part(file)]) == "The attachment isn't there any more. "
    assert counts()[0] == 1


async def draws(self: BaseTaskHandler) -> Any:
    file_id = await self.save_file(PNG, name="chart.png")
    yield ImageEvent(file_id=file_id, mime_type="image/png", alt="A chart")
    try:
        await self.save_file(b"MZ\x90\x00")
    except AttachmentError as error:
        yield ContentEvent(content=error.message)


def test_a_handlers_file_is_its_users_and_goes_with_the_chat(user: User, register: Any, engine: Engine) -> None:
    register(handler_class(draws))
    finished_run = wait_for_end(start_run(user, body_of(task="scripted")).response_id)
    file = File.objects.get()
    assert finished_run.message.parts[0]["file_id"] == str(file.pk)
    assert "can't be attached" in finished_run.text
    assert (file.owner, file.name, list(file.messages.all())) == (user, "chart.png", [finished_run.message])
    editing.delete_chat(user, str(finished_run.message.chat_id))
    engine.tidying._tidy()
    assert state_of(file) == "gone"


def test_no_event_loop_waits_for_the_storage(user: User, register: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    register(handler_class(reads, cooperative=True))
    file, threads = kept(user), []

    def noting(file: File) -> Any:
        threads.append(threading.current_thread().name)
        return open_bytes(file)

    monkeypatch.setattr(uploads, "open_bytes", noting)
    assert answer_to(user, task="scripted", parts=[part(file)]) == "48 "
    assert threads == ["files"]


def test_attachments_are_found_and_exported_by_name(user: User) -> None:
    stored = part_of(kept(user, b"words", "quarterly-report.txt")), part_of(kept(user, name="kilimanjaro.png"))
    assert text_of(stored) == "quarterly-report.txt\nkilimanjaro.png"
    message = {
        "kind": "request",
        "created_at": "2026-01-31T12:00:00Z",
        "parts": stored,
        "errors": [],
        "status": "completed",
    }
    exported = FORMATS["markdown"].message(message, True)
    assert "*Attachment: quarterly-report.txt*" in exported
    assert "*Image: kilimanjaro.png*" in exported
