"""`/metrics`: who may read it, what it says, and that nobody's words become labels."""

import pytest
from django.test import AsyncClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from tests.chats.live import make_user
from tests.chats.scripted import handler_class, run_to_end, says_hello

TOKEN = "sixteen-and-more-characters"
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}


def counted(**labels):
    return REGISTRY.get_sample_value("workbench_http_requests_total", labels) or 0


# Who may read it


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_machine_may_read_it_by_whatever_name_it_calls_itself(client, address):
    response = client.get("/metrics", REMOTE_ADDR=address, headers={"host": "10.0.0.7"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::1", "", "unix:"])
def test_to_others_there_is_nothing(client, address):
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_what_a_proxy_on_this_machine_passes_on_isnt_this_machines(client, header):
    assert client.get("/metrics", **LOCAL, headers={header: "203.0.113.9"}).status_code == 404


def test_with_a_token_only_the_token_counts(client, settings):
    settings.WORKBENCH_METRICS_TOKEN = TOKEN
    for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        response = client.get("/metrics", **LOCAL, headers=given)
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.9"}
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers=headers).status_code == 200


def test_it_can_only_be_read(client):
    assert client.post("/metrics", **LOCAL).status_code == 405


# What it says


def read(client):
    text = client.get("/metrics", **LOCAL).content.decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(families, name, sample=None, **labels):
    found = [
        s.value for s in families[name].samples if s.name == (sample or name) and labels.items() <= s.labels.items()
    ]
    assert len(found) == 1
    return found[0]


def test_a_run_is_seen_from_outside(engine, client, register):
    name = register(handler_class(says_hello, "seen_from_outside"))
    before = read(client)
    run_to_end(make_user(), name)
    after = read(client)
    assert value(after, "workbench_runs", "workbench_runs_total", handler=name, outcome="completed") == 1
    assert value(after, "workbench_first_event_seconds", "workbench_first_event_seconds_count", handler=name) == 1
    for family, sample, more in (
        ("workbench_events_committed", "workbench_events_committed_total", 2),
        ("workbench_events_published", "workbench_events_published_total", 3),
        ("workbench_commit_seconds", "workbench_commit_seconds_count", 1),
    ):
        assert value(after, family, sample) >= value(before, family, sample) + more
    for gauge in ("workbench_runs_in_progress", "workbench_subscribers", "workbench_connections"):
        assert value(after, gauge) >= 0


def test_an_engine_that_hasnt_started_is_no_fault(client):
    assert "workbench_runs_in_progress" not in read(client)


# HTTP


def test_requests_are_counted_by_the_name_of_their_route(client, db):
    before = counted(route="login", method="GET", status="200")
    client.get("/login/?next=/somewhere/")
    assert counted(route="login", method="GET", status="200") == before + 1


async def test_asynchronous_ones_too():
    before = counted(route="unmatched", method="GET", status="404")
    await AsyncClient().get("/nowhere/at-all/")
    assert counted(route="unmatched", method="GET", status="404") == before + 1


def test_no_label_is_made_of_what_a_client_sends(client, db):
    client.get("/a-path-of-mine/")
    client.generic("MYMETHOD", "/login/")
    text = client.get("/metrics", **LOCAL).content.decode()
    assert "a-path-of-mine" not in text
    assert "MYMETHOD" not in text


def test_probes_arent_counted(client):
    before = counted(route="unmatched", method="GET", status="200")
    client.get("/healthz")
    assert counted(route="unmatched", method="GET", status="200") == before
