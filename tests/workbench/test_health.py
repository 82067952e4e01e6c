"""Probes."""

import pytest
from django.db import OperationalError

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
