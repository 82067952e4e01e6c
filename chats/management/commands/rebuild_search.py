"""`manage.py rebuild_search`: makes the search index anew from what is stored."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from chats.indexing import index_waiting
from chats.models import Chat
from chats.search import rebuild_chat

# Seconds. A running server's writer has the file between two of these: SQLite gives it to whoever comes next, so with
# 20 ms held and no gap a write waited 0.4 s (median) to 3.6 s; with these, 7 to 26 ms.
A_TRANSACTION = PAUSE = 0.01
CHATS_A_REPORT = 1000


class Command(BaseCommand):
    help = (
        "Makes the search index anew, chat by chat. A server may run meanwhile: what isn't indexed again yet isn't "
        "found for that moment. Needed after an upgrade that says so, and never else."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        chats = Chat.objects.order_by("last_message_at", "id")  # what was said last is found first
        total = 0
        for total, chat in enumerate(chats.only("pk").iterator(chunk_size=500), 1):
            with transaction.atomic():
                rebuild_chat(chat)
            time.sleep(PAUSE)
            if total % CHATS_A_REPORT == 0:
                self.stderr.write(f"{total} chats …")
        more = True
        while more:
            with transaction.atomic():
                more = index_waiting(A_TRANSACTION)
            time.sleep(PAUSE)
        self.stdout.write(f"{total} chats are indexed.")
