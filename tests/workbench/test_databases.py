"""The options of each database, seen on a connection where one can be made."""

from pathlib import Path

import pytest
from django.db import connection, transaction

from workbench.databases import database_settings

BASE = Path("/srv/workbench")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", "/srv/workbench/db.sqlite3"),
        ("sqlite:///var/chat.sqlite3", "/srv/workbench/var/chat.sqlite3"),
        ("sqlite:////data/chat.sqlite3", "/data/chat.sqlite3"),
    ],
)
def test_a_sqlite_path_is_taken_from_the_project(url, name):
    assert str(database_settings(url, BASE)["NAME"]) == name


def test_postgresql_gets_a_pool_and_keeps_the_options_of_its_url():
    settings = database_settings("postgresql://u:p@db:5433/chat?sslmode=require", BASE)
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db", 5433, "chat")
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert settings["OPTIONS"]["pool"]["max_size"] > 8
    assert settings["CONN_MAX_AGE"] == 0


def test_how_soon_a_postgresql_that_vanished_is_noticed_can_be_said_in_its_url():
    settings = database_settings("postgresql://u:p@db/chat?connect_timeout=2", BASE)
    assert int(settings["OPTIONS"]["connect_timeout"]) == 2
    assert settings["OPTIONS"]["tcp_user_timeout"] == 15_000


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="is about SQLite")
class TestSqlite:
    @pytest.mark.django_db
    @pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
    def test_connections_are_durable_and_checked(self, pragma, value):
        with connection.cursor() as cursor:
            assert cursor.execute(f"PRAGMA {pragma}").fetchone()[0] == value

    @pytest.mark.django_db(transaction=True)
    def test_a_transaction_takes_the_write_lock_when_it_begins(self):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            other = connection.copy()
            other.settings_dict = {**other.settings_dict, "OPTIONS": {**other.settings_dict["OPTIONS"], "timeout": 0}}
            try:
                with pytest.raises(Exception, match="locked"), transaction.atomic(using=None), other.cursor() as second:
                    second.execute("BEGIN IMMEDIATE")
            finally:
                other.close()
