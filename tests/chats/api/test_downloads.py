"""Doors that hand out much, and clients that stop reading it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile

from chats import flow as flow_module
from chats.models import Chat
from chats.uploads import keep_file
from tests.chats.api.streams import AsyncJSONClient
from tests.chats.transports import FullTransport
from workbench.models import User

SIZE = 1 << 20


class StalledClient(AsyncJSONClient):
    """Asks over a connection on which nothing is read, as `manage.py serve` would tell of it."""

    def __init__(self) -> None:
        super().__init__()
        self.transport = FullTransport()

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        return {**super()._base_scope(**request), "workbench.flow": self.transport}


def make_file(owner: User) -> UUID:
    return keep_file(owner.pk, "a.txt", ContentFile(b"x" * SIZE), size=SIZE, sha256="0" * 64).pk


@pytest.fixture
def hasty(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site of its own files that doesn't wait long."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(flow_module, "DOWNLOAD_PATIENCE", 0.01)


@pytest.mark.usefixtures("engine", "hasty")
@pytest.mark.parametrize("door", ["file", "export"])
async def test_who_takes_nothing_of_a_download_is_dropped(owner: User, chat: Chat, door: str) -> None:
    path = f"/chats/{chat.pk}/export/" if door == "export" else f"/files/{await sync_to_async(make_file)(owner)}/"
    client = StalledClient()
    await client.aforce_login(owner)
    async with asyncio.timeout(20):
        answer = await client.ask("GET", path)
        assert [piece async for piece in answer] == []
    assert client.transport.is_aborted
    await sync_to_async(answer.close)()
