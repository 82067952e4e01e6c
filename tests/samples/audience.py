"""One person asks a sample over the real websocket, by the real engine and database, and the law is held to it.

`ask` gives what was stored when all has been checked: contiguous numbers, exactly one end and last, and that live,
replay, REST and the stored parts are one (tests/properties/law.py, less what only its own scripts can know).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections

from chats.engine import Engine
from chats.models import Event, Message, Run
from tests.chats.api.makers import API
from tests.chats.api.streams import AsyncJSONClient, alogged_in, until
from tests.chats.live import Client
from tests.chats.scripted import Finished
from tests.properties import law
from tests.properties.law import Resumed, Sight, Witness
from tests.properties.readers import SocketReader, StreamReader

PATIENCE = 20.0  # seconds
CLAUSES = (
    law.check_numbers,
    law.check_one_end,
    law.check_sights,
    law.check_rest,
    law.check_folds,
    law.check_parts,
    law.check_resumed,
)

Condition = Callable[[], Any]


class Audience:
    """`async with Audience(engine, user, session_key) as audience:`. `live`: the last answer as it came."""

    def __init__(self, engine: Engine, user: Any, key: str) -> None:
        self._engine = engine
        self._user = user
        self.key = key
        self.live: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        self.http: AsyncJSONClient = await alogged_in(self._user)
        return self

    async def __aexit__(self, *_: object) -> None:
        await sync_to_async(connections.close_all)()  # of the thread that the test client logged in with

    async def refused(self, task: str) -> dict[str, Any]:
        """The error frame that a start of this task is answered with."""
        async with Client(self.key) as client:
            await client.send(type="start", request_id="refused", task=task, parts=[{"content": "hello"}])
            return await client.receive_until("error", request_id="refused")

    async def ask(self, task: str, text: str, *, cancel_when: Condition | None = None, **fields: Any) -> Finished:
        """The answer, as it is stored; cancelled from another tab as soon as `cancel_when()` holds."""
        texts: list[str] = []
        reader = SocketReader(Sight(steady=True, name="the asker"), texts)
        await reader.open(self.key)
        try:
            response_id = await reader.start(text, task, **fields)
            if cancel_when is not None:
                await until(cancel_when)
                response = await self.http.ask("POST", f"/responses/{response_id}/cancel/")
                assert response.status_code == 202, response.content
            await reader.see_the_end(PATIENCE)
            await reader.see_nothing_more(PATIENCE)
            witness = await self._witness(response_id, reader, texts)
        finally:
            await reader.close()
        for clause in CLAUSES:
            clause(witness)
        self.live = reader.sight.events
        return Finished(witness.message, witness.run, witness.rows)

    async def _witness(self, response_id: str, reader: SocketReader, texts: list[str]) -> Witness:
        rows, message, run = await self._engine.queries.run(_stored, response_id)
        stream = StreamReader(Sight(name="a replay by SSE"), texts)
        await stream.follow(self.http, response_id)
        await stream.see_the_end(PATIENCE)
        return Witness(
            yielded=[],
            escaped=None,
            cancel_reply=None,
            sights=[reader.sight],
            resumed=[Resumed(-1, False, stream.sight), *await self._replays(response_id, reader.client, texts)],
            rows=rows,
            message=message,
            run=run,
            rest_message=await self._get(f"/messages/{response_id}/"),
            rest_events=await self._listed(response_id),
            shown="\n".join(texts),
        )

    async def _replays(self, response_id: str, client: Client, texts: list[str]) -> list[Resumed]:
        """From the start, and from the middle."""
        replays = []
        last = len([event for event in client.events(response_id) if event["sequence"] is not None])
        for after, merge in ((-1, False), (-1, True), (last // 2, False)):
            replay = SocketReader(Sight(cursor=after, name=f"a replay after {after}"), texts)
            replay.client = client
            await replay.follow(response_id, merge)
            await replay.read_out(PATIENCE)
            replays.append(Resumed(after, merge, replay.sight))
        return replays

    async def _listed(self, response_id: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        address = f"{API}/responses/{response_id}/events/?limit=100"
        while address:
            page = await self._get(address.partition(API)[2])
            events += page["results"]
            address = page["next"]
        return events

    async def _get(self, address: str) -> Any:
        response = await self.http.ask("GET", address)
        assert response.status_code == 200, response.content
        return response.json()


def _stored(response_id: str) -> tuple[list[Event], Message, Run]:
    key = UUID(response_id)
    rows = list(Event.objects.filter(response_id=key).order_by("sequence"))
    return rows, Message.objects.get(pk=key), Run.objects.get(pk=key)
