"""Probes."""

import asyncio

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from chats.models import Worker
from workbench import health


def test_healthz_answers_any_host_without_a_database(client):
    assert client.get("/healthz", headers={"host": "10.0.0.7"}).content == b"ok\n"


@pytest.mark.django_db
def test_readyz_names_the_part_that_fails_and_keeps_its_words_to_the_log(client, monkeypatch, caplog):
    def away():
        raise OperationalError("no route to db.internal")

    monkeypatch.setattr(health, "CHECKS", {"database": away})
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["failing"] == {"database": "It failed; the log has the details."}
    assert "no route to db.internal" in caplog.text


# More processes than can hear of each other


@pytest.fixture
def ready(client, engine):
    """What /readyz says: its status, and the words of the part that fails."""

    def ask():
        response = client.get("/readyz")
        return response.status_code, response.json()["failing"]

    return ask


def another_process(**fields):
    return Worker.objects.create(host="another", pid=1, beat_at=Now(), **fields)


def test_a_second_process_that_cant_be_heard_of_makes_both_unready(ready, settings, monkeypatch):
    monkeypatch.setattr(health, "shared_layer", lambda: None)
    assert ready() == (200, {})
    other = another_process()
    status, failing = ready()
    assert (status, list(failing)) == (503, ["processes"])
    assert "2 processes use this database and REDIS_URL isn't set" in failing["processes"]
    other.ended_at = timezone.now()
    other.save()
    assert ready() == (200, {})


def test_with_a_layer_that_they_share_there_may_be_many(ready, monkeypatch):
    monkeypatch.setattr(health, "shared_layer", object)
    another_process()
    assert ready() == (200, {})


def test_an_engine_that_stops_says_so(ready, engine):
    engine.stop()
    assert ready() == (503, {"writer": "The server is starting or stopping; try again shortly."})


class Hangs:
    async def group_send(self, group, message):
        await asyncio.sleep(60)


def test_a_channel_layer_that_hangs_is_named_in_time(ready, monkeypatch):
    monkeypatch.setattr(health, "LAYER_PATIENCE", 0.05)
    monkeypatch.setattr(health, "get_channel_layer", Hangs)
    status, failing = ready()
    assert (status, list(failing)) == (503, ["channel_layer"])
    assert "doesn't answer" in failing["channel_layer"]
