"""Reading another's chat: the record comes first, and without it there's nothing to read."""

import pytest

from chats import transcripts
from chats.engine import get_engine
from chats.models import AccessRecord, Chat, Message
from chats.protocol import DoorError
from chats.transcripts import read_log, read_transcript
from tests.chats.api.makers import END, make_response, start_of, text
from workbench.models import User


@pytest.fixture
def engine(transactional_db):
    get_engine().start()
    yield get_engine()
    get_engine().stop()


@pytest.fixture
def auditor(engine) -> User:
    return User.objects.create_superuser("auditor")


@pytest.fixture
def response(engine) -> Message:
    chat = Chat.objects.create(owner=User.objects.create_user("owner"))
    return make_response(chat, [start_of(), text("one"), text("two"), END])


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 301])
def test_a_reading_needs_a_reason_of_sensible_length(auditor, response, reason):
    with pytest.raises(DoorError) as refusal:
        read_transcript(auditor, response.chat, reason)
    assert refusal.value.fields.keys() == {"reason"}
    assert not AccessRecord.objects.exists()


def test_who_is_no_staff_is_refused_whatever_their_permissions(response):
    superuser = User.objects.create_user("former", is_superuser=True)
    with pytest.raises(DoorError, match="staff account"):
        read_transcript(superuser, response.chat, "because")
    assert not AccessRecord.objects.exists()


def test_nothing_is_read_when_the_reading_cannot_be_recorded(auditor, response, engine):
    engine.stop()
    with pytest.raises(DoorError) as refusal:
        read_log(auditor, response, "because")
    assert refusal.value.code == "unavailable"


def test_a_long_chat_is_read_in_stretches_that_join(auditor, response, monkeypatch):
    monkeypatch.setattr(transcripts, "MESSAGES_A_PAGE", 2)
    for _ in range(2):
        make_response(response.chat, [start_of(), END])
    ids, after = [], None
    while True:
        page = read_transcript(auditor, response.chat, "because", after)
        ids += [turn.message.pk for turn in page.turns]
        if (after := page.following) is None:
            break
    assert ids == list(Message.objects.order_by("id").values_list("pk", flat=True))
    assert AccessRecord.objects.count() == 3


def test_a_long_log_is_read_in_stretches_that_join(auditor, response, monkeypatch):
    monkeypatch.setattr(transcripts, "EVENTS_A_PAGE", 3)
    first = read_log(auditor, response, "because")
    second = read_log(auditor, response, "because", first.following)
    assert [event.sequence for event in first.events + second.events] == [0, 1, 2, 3]
    assert second.following is None


def test_a_deleted_chat_can_still_be_read(auditor, response):
    Chat.objects.update(status=Chat.State.DELETED)
    assert len(read_transcript(auditor, response.chat, "because").turns) == 2
