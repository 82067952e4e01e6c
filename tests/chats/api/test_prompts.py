"""Prompts and personas: one's own, a group's, the site's; who may change which. Both kinds have the same doors."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from chats.engine import Engine
from chats.models import Prompt
from tests.chats.api.makers import JSONClient, logged_in
from workbench.models import User

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def group(owner: User, stranger: User) -> Group:
    """Both are in it."""
    group = Group.objects.create(name="editors")
    group.user_set.set([owner, stranger])
    return group


def make(client: JSONClient, **fields: Any) -> Any:
    return client.ask("POST", "/prompts/", {"name": "Sum up", "text": "Sum it up.", **fields})


def names_for(user: User) -> list[str]:
    return [prompt["name"] for prompt in logged_in(user).get_json("/prompts/")["results"]]


def test_a_prompt_is_made_and_found_where_it_says(client_of_owner: JSONClient) -> None:
    response = make(client_of_owner, description="Short")
    made = response.json()
    assert made == client_of_owner.get_json(response["Location"])
    assert made == {
        "id": made["id"], "name": "Sum up", "description": "Short", "text": "Sum it up.", "own": True, "groups": [],
    }  # fmt: skip


def test_ones_own_is_nobody_elses(client_of_owner: JSONClient, owner: User, stranger: User) -> None:
    made = make(client_of_owner).json()
    assert (names_for(owner), names_for(stranger)) == (["Sum up"], [])
    assert logged_in(stranger).ask("GET", f"/prompts/{made['id']}/").status_code == 404


def test_a_groups_members_use_it_and_dont_change_it(
    client_of_owner: JSONClient, owner: User, stranger: User, group: Group
) -> None:
    made = make(client_of_owner, groups=["editors"]).json()
    member = logged_in(stranger)
    shared = {"own": False, "text": "Sum it up."}
    assert member.get_json(f"/prompts/{made['id']}/").items() >= shared.items()
    assert "groups" not in member.get_json(f"/prompts/{made['id']}/")
    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
        assert member.ask(method, f"/prompts/{made['id']}/", body).status_code == 403
    assert names_for(owner) == ["Sum up"]


def test_who_leaves_the_group_sees_it_no_more(client_of_owner: JSONClient, stranger: User, group: Group) -> None:
    make(client_of_owner, groups=["editors"])
    assert names_for(stranger) == ["Sum up"]
    stranger.groups.clear()
    assert names_for(stranger) == []


def test_it_is_shared_with_ones_own_groups_only(client_of_owner: JSONClient, group: Group, owner: User) -> None:
    Group.objects.create(name="board")
    response = make(client_of_owner, groups=["editors", "board"])
    assert (response.status_code, list(response.json()["fields"])) == (400, ["groups"])
    assert not Prompt.objects.exists()


def test_the_sites_are_for_everybody_to_use_and_nobody_to_change(client_of_owner: JSONClient, stranger: User) -> None:
    site = Prompt.objects.create(name="House style", text="Write plainly.")
    Prompt.objects.create(name="Off", text="x", enabled=False)
    assert names_for(stranger) == ["House style"]
    assert client_of_owner.ask("DELETE", f"/prompts/{site.pk}/").status_code == 403


def test_changes_are_of_what_is_named(client_of_owner: JSONClient, group: Group) -> None:
    made = make(client_of_owner, groups=["editors"]).json()
    changed = client_of_owner.ask("PATCH", f"/prompts/{made['id']}/", {"text": "Briefly."}).json()
    assert changed == made | {"text": "Briefly."}
    assert client_of_owner.ask("PATCH", f"/prompts/{made['id']}/", {"groups": []}).json()["groups"] == []


def test_a_deleted_one_is_gone(client_of_owner: JSONClient) -> None:
    made = make(client_of_owner).json()
    assert client_of_owner.ask("DELETE", f"/prompts/{made['id']}/").status_code == 204
    assert client_of_owner.ask("GET", f"/prompts/{made['id']}/").status_code == 404


def test_a_name_is_taken_once_per_owner(client_of_owner: JSONClient, stranger: User) -> None:
    first = make(client_of_owner).json()
    other = make(client_of_owner, name="Other").json()
    assert make(logged_in(stranger)).status_code == 201
    taken = [make(client_of_owner), client_of_owner.ask("PATCH", f"/prompts/{other['id']}/", {"name": first["name"]})]
    assert [(each.status_code, list(each.json()["fields"])) for each in taken] == [(409, ["name"])] * 2


@pytest.mark.parametrize("wrong", [{"name": " "}, {"name": "x" * 101}, {"text": ""}, {"description": "x" * 301},
                                   {"groups": "editors"}, {"enabled": False}])  # fmt: skip
def test_a_wrong_field_is_named(client_of_owner: JSONClient, wrong: dict[str, Any]) -> None:
    made = make(client_of_owner).json()
    for response in (make(client_of_owner, **wrong), client_of_owner.ask("PATCH", f"/prompts/{made['id']}/", wrong)):
        assert (response.status_code, list(response.json()["fields"])) == (400, list(wrong))


def test_a_page_of_many_takes_few_queries(
    client_of_owner: JSONClient, owner: User, engine: Engine, django_assert_max_num_queries: Any
) -> None:
    Prompt.objects.bulk_create([Prompt(owner=owner, name=str(n), text="x") for n in range(30)])
    with django_assert_max_num_queries(4):  # session, user, prompts, their groups
        assert len(client_of_owner.get_json("/prompts/")["results"]) == 30
