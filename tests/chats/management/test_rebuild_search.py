"""manage.py rebuild_search: what is stored is found again, whatever the index held."""

import pytest
from django.core.management import call_command

from chats import search
from chats.models import Chat, SearchEntry
from chats.searchtext import parse_query
from tests.chats.api.makers import END, make_request, make_response, start_of, text
from workbench.models import User

pytestmark = pytest.mark.django_db


def test_all_that_is_stored_is_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    owner = User.objects.create_user("ada")
    chats = [Chat.objects.create(owner=owner, title="Rivers") for _ in range(3)]
    for chat in chats:
        make_response(chat, [start_of(), text("The Nile."), END])
    unfinished = make_response(chats[0], [start_of(), text("Zambezi")], parent=make_request(chats[0], "Congo?"))
    SearchEntry.objects.create(chat=chats[0], message=unfinished, tokens=["stale"])
    call_command("rebuild_search")

    def found(words: str) -> int:
        return len(search.find_chats(owner, parse_query(words), search.Place(), 10).hits)

    assert [found(words) for words in ("nile", "rivers", "congo", "zambezi")] == [3, 3, 1, 0]
    assert capsys.readouterr().out == "3 chats are indexed.\n"
