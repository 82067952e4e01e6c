"""Performs a Script through the real runner, journal, database, websocket, SSE and REST, and gathers a Witness.

The handler runs where the product runs it (on a loop of its own, or on the shared one); what happens round it
(drops, late readers, cancels) is cued from its script and done here, on the readers' loop.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from concurrent.futures import Future, InvalidStateError
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections

from chats.engine import Engine
from chats.models import Event, Message, Run
from handlers.base import BaseTaskHandler
from handlers.messages import Message as PlainMessage
from tests.chats.api.makers import API
from tests.chats.api.streams import alogged_in
from tests.chats.live import login, make_user
from tests.properties.law import Resumed, Sight, Witness
from tests.properties.readers import Reader, SocketReader, StreamReader
from tests.properties.scripts import Cue, Pause, Raise, Script

__all__ = ["HANDLERS", "Stage"]


class Act:
    """A script being performed, as its handler and the stage share it. Made on the readers' loop."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.yielded: list[Any] = []
        self.escaped: BaseException | None = None
        self.curtain: Future[None] = Future()  # done when somebody watches
        self.cues: asyncio.Queue[tuple[Cue, Future[None]] | None] = asyncio.Queue()
        self._waits = [self.curtain]
        self._loop = asyncio.get_running_loop()

    async def call(self, cue: Cue) -> None:
        """The handler's: has the stage do something, and waits for it where it is told to."""
        done: Future[None] = Future()
        self._waits.append(done)
        self._loop.call_soon_threadsafe(self.cues.put_nowait, (cue, done))
        if cue.waits:
            await asyncio.wrap_future(done)

    def release_all(self) -> None:
        for future in self._waits:
            release(future)


def release(future: Future[None]) -> None:
    try:
        future.set_result(None)
    except InvalidStateError:
        return  # done before, or given up by a handler that was cancelled while it waited


_acts: dict[str, Act] = {}
_names = (f"act-{number}" for number in itertools.count())


class _Performer(BaseTaskHandler):
    description = "Performs a script of the law tests."

    async def handle(self, user_message: PlainMessage, **_: Any) -> AsyncGenerator[Any, None]:
        act = _acts[user_message.text]
        try:
            if not act.script.eager:
                await asyncio.wrap_future(act.curtain)
            for step in act.script.steps:
                match step:
                    case Pause():
                        await asyncio.sleep(step.seconds)
                    case Cue():
                        await act.call(step)
                    case Raise():
                        raise step.error
                    case _:
                        act.yielded.append(step)
                        yield step
        except GeneratorExit:
            raise
        except BaseException as error:
            for step in act.script.parting:
                act.yielded.append(step)
                yield step
            if not act.script.swallows:
                act.escaped = error
                raise


class Performer(_Performer):
    name = "performer"


class CooperativePerformer(_Performer):
    name = "cooperative-performer"
    cooperative = True


HANDLERS = (Performer, CooperativePerformer)


class Stage:
    """See the module. One for many scripts; `patience` is how many seconds an end may take."""

    def __init__(self, engine: Engine, patience: float = 20.0) -> None:
        self.engine = engine
        self.patience = patience
        self._runner = asyncio.Runner()
        user = make_user("reader")
        self.key = login(user)
        self.http = self._runner.run(alogged_in(user))

    def close(self) -> None:
        self._runner.run(sync_to_async(connections.close_all)())  # of the thread that the test client logged in with
        self._runner.close()

    def perform(self, script: Script) -> Witness:
        """Raises LawBroken when a reader sees what it must never see."""
        return self._runner.run(_perform(self, script))


async def _perform(stage: Stage, script: Script) -> Witness:
    act, name = Act(script), next(_names)
    _acts[name] = act
    performance = Performance(stage, act)
    try:
        await performance.begin(name)
        await performance.watch()
        return await performance.witness()
    finally:
        act.release_all()
        for reader in performance.readers:
            await reader.close()
        del _acts[name]


class Performance:
    """One act and its readers: one who starts it and stays, one who comes and goes, and the late."""

    def __init__(self, stage: Stage, act: Act) -> None:
        self.readers: list[Reader] = []
        self._stage = stage
        self._act = act
        self._texts: list[str] = []
        self._cancel_reply: str | None = None
        self._response_id = ""

    async def begin(self, name: str) -> None:
        script = self._act.script
        task = (CooperativePerformer if script.cooperative else Performer).name
        # Who isn't waited for may miss what is unstored.
        sight = Sight(name="the steady reader", steady=not script.eager)
        self._roamer = await self._socket(Sight(name="the roaming reader"))
        if script.streamed:
            stream = StreamReader(sight, self._texts)
            self._response_id = await stream.start(self._stage.http, name, task)
            self.readers.append(stream)
            self._steady: Reader = stream
        else:
            self._steady = socket = await self._socket(sight)
            self._response_id = await socket.start(name, task)
        await self._roamer.follow(self._response_id)
        release(self._act.curtain)

    async def _socket(self, sight: Sight) -> SocketReader:
        reader = SocketReader(sight, self._texts)
        await reader.open(self._stage.key)
        self.readers.append(reader)
        return reader

    # While it runs

    async def watch(self) -> None:
        """Does what is cued until everybody has seen the end, and nothing more."""
        patience = self._stage.patience
        cueing = asyncio.get_running_loop().create_task(self._do_what_is_cued())
        try:
            await self._steady.see_the_end(patience)
        finally:
            self._act.cues.put_nowait(None)
            await asyncio.wait({cueing})
        cueing.result()
        for reader in self.readers:
            await reader.see_the_end(patience)
            await reader.see_nothing_more(patience)

    async def _do_what_is_cued(self) -> None:
        while (cued := await self._act.cues.get()) is not None:
            cue, done = cued
            try:
                await self._do(cue)
            finally:
                release(done)

    async def _do(self, cue: Cue) -> None:
        match cue.action:
            case "cancel":
                response = await self._stage.http.ask("POST", f"/responses/{self._response_id}/cancel/")
                assert response.status_code == 202, response.content
                self._cancel_reply = self._cancel_reply or response.json()["status"]
            case "reconnect":
                await self._roamer.close()
                await self._roamer.open(self._stage.key)
                await self._roamer.follow(self._response_id, cue.merge)
            case "join" if cue.merge:
                late = await self._socket(Sight(name="a latecomer"))
                await late.follow(self._response_id, merge=True)
            case "join":
                stream = StreamReader(Sight(name="a latecomer"), self._texts)
                await stream.follow(self._stage.http, self._response_id)
                self.readers.append(stream)

    # Afterwards

    async def witness(self) -> Witness:
        sights = [reader.sight for reader in self.readers]
        resumed = await self._resume()
        rows, message, run = await self._stage.engine.queries.run(_stored, self._response_id)
        return Witness(
            yielded=self._act.yielded,
            escaped=self._act.escaped,
            cancel_reply=self._cancel_reply,
            sights=sights,
            resumed=resumed,
            rows=rows,
            message=message,
            run=run,
            rest_message=await self._get(f"/messages/{self._response_id}/"),
            rest_events=await self._list_events(),
            shown="\n".join(self._texts),
        )

    async def _resume(self) -> list[Resumed]:
        """Replays of the finished response: from the start by either door, from its end, and from drawn cursors."""
        stream = StreamReader(Sight(name="a replay by SSE"), self._texts)
        await stream.follow(self._stage.http, self._response_id)
        await stream.see_the_end(self._stage.patience)
        resumed = [Resumed(-1, False, stream.sight)]
        last = stream.sight.cursor
        cursors = {-1, last, *(round(share * (last + 1)) - 1 for share in self._act.script.resumes)}
        for after, merge in itertools.product(sorted(cursors), (False, True)):
            replay = SocketReader(Sight(cursor=after, name=f"a replay after {after}"), self._texts)
            replay.client = self._roamer.client
            await replay.follow(self._response_id, merge)
            await replay.read_out(self._stage.patience)
            resumed.append(Resumed(after, merge, replay.sight))
        return resumed

    async def _list_events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        address = f"{API}/responses/{self._response_id}/events/?limit=15"
        while address:
            page = await self._get(address.partition(API)[2])
            events += page["results"]
            address = page["next"]
        return events

    async def _get(self, address: str) -> Any:
        response = await self._stage.http.ask("GET", address)
        assert response.status_code == 200, response.content
        self._texts.append(response.content.decode())
        return response.json()


def _stored(response_id: str) -> tuple[list[Event], Message, Run]:
    key = UUID(response_id)
    rows = list(Event.objects.filter(response_id=key).order_by("sequence"))
    return rows, Message.objects.get(pk=key), Run.objects.get(pk=key)
