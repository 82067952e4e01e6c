"""Gives a reader of a browser test's site N chats, one an hour back in time: `python -m tests.browser.crowd USER N`."""

import os
import sys
from datetime import timedelta

import django


def make(username: str, count: int) -> None:
    from django.utils import timezone

    from chats.models import Chat
    from workbench.models import User

    owner = User.objects.get(username=username)
    now = timezone.now()
    moments = [now - timedelta(hours=number) for number in range(count)]
    Chat.objects.bulk_create(
        [
            Chat(owner=owner, title=f"Chat number {number}", created_at=at, updated_at=at, last_message_at=at)
            for number, at in enumerate(moments)
        ],
        batch_size=1000,
    )


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "workbench.settings"
    django.setup()
    make(sys.argv[1], int(sys.argv[2]))
