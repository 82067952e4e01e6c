"""Personas: as prompts (test_prompts.py), but that others' text stays on the server, and that starts use them."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from chats import library
from chats.models import Persona, Run
from tests.chats.api.makers import JSONClient, logged_in
from workbench.models import User

pytestmark = pytest.mark.usefixtures("engine")


def make(client: JSONClient, **fields: Any) -> Any:
    return client.ask("POST", "/personas/", {"name": "Editor", "prompt": "Be secretive.", **fields})


def test_personas_are_those_for_all_and_for_ones_groups_without_their_prompts(
    owner: User, client_of_owner: JSONClient
) -> None:
    few, others = Group.objects.create(name="few"), Group.objects.create(name="others")
    owner.groups.add(few)
    for name, group in [("B", few), ("A", None), ("C", others)]:
        persona = Persona.objects.create(name=name, prompt="Be secretive.")
        if group:
            persona.groups.add(group)
    Persona.objects.create(name="D", prompt="x", enabled=False)
    response = client_of_owner.ask("GET", "/personas/")
    assert [persona["name"] for persona in response.json()["results"]] == ["A", "B"]
    assert b"secretive" not in response.content


def test_personas_come_page_by_page(client_of_owner: JSONClient) -> None:
    Persona.objects.bulk_create([Persona(name=name, prompt="x") for name in "abc"])
    first = client_of_owner.get_json("/personas/?limit=2")
    second = client_of_owner.get_json(first["next"])
    assert [each["name"] for each in first["results"] + second["results"]] == ["a", "b", "c"]


def test_only_its_owner_sees_the_prompt(client_of_owner: JSONClient, owner: User, stranger: User) -> None:
    group = Group.objects.create(name="editors")
    group.user_set.set([owner, stranger])
    made = make(client_of_owner, groups=["editors"]).json()
    assert client_of_owner.get_json(f"/personas/{made['id']}/")["prompt"] == "Be secretive."
    shared = logged_in(stranger).get_json(f"/personas/{made['id']}/")
    assert (shared["own"], "prompt" in shared) == (False, False)


def test_a_start_takes_ones_own_persona_and_not_anothers(client_of_owner: JSONClient, stranger: User) -> None:
    body = {"task": "demo", "content": "text", "persona_id": make(client_of_owner).json()["id"]}
    assert logged_in(stranger).ask("POST", "/generate/invoke", body).status_code == 404
    assert client_of_owner.ask("POST", "/generate/invoke", body).status_code == 200
    assert Run.objects.get().inputs["persona"] == "Be secretive."


def test_a_change_keeps_what_an_admin_has_changed_meanwhile(
    client_of_owner: JSONClient, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(client_of_owner).json()
    own = library._own

    def read_and_then_disabled(*args: Any) -> Any:
        kept = own(*args)
        Persona.objects.filter(pk=kept.pk).update(enabled=False)
        return kept

    monkeypatch.setattr(library, "_own", read_and_then_disabled)
    client_of_owner.ask("PATCH", f"/personas/{made['id']}/", {"name": "Author"})
    persona = Persona.objects.get(pk=made["id"])
    assert (persona.name, persona.enabled) == ("Author", False)
