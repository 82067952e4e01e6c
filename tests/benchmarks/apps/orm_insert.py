"""The comparison: each event is stored by one `acreate` of Django's ORM and then sent, as a first version would.

Its database has the product's settings for SQLite (WAL, synchronous FULL), its table the event log's columns.
"""

import os
from typing import Any

import django
from django.conf import settings

from tests.benchmarks.apps.answering import Receive, Send, answer

settings.configure(
    SECRET_KEY="a benchmark's",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["BENCHMARK_DATABASE"],
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;", "timeout": 20},
        }
    },
)
django.setup()

from django.db import connection, models  # noqa: E402


class StoredEvent(models.Model):
    response_id = models.UUIDField()
    sequence = models.IntegerField()
    type = models.CharField(max_length=64)
    emit = models.BooleanField(default=True)
    payload = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "benchmark"
        constraints = [models.UniqueConstraint(fields=["response_id", "sequence"], name="one_number_once")]

    def __str__(self) -> str:
        return f"{self.response_id} {self.sequence}"


with connection.schema_editor() as editor:
    editor.create_model(StoredEvent)


async def store(response_id: str, sequence: int, text: str) -> None:
    await StoredEvent._default_manager.acreate(
        response_id=response_id, sequence=sequence, type="content", payload=f'{{"content":"{text}"}}'
    )


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await answer(receive, send, store)
