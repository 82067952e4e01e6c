"""The faults: how each kind of plans.py is thrown at a stage, and when its clock begins.

Every function throws one fault, waits until it is over and all is well, and gives what it measured. What a fault must
not do to the answers is judged elsewhere, from what clients hold and the log says.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Self

from uuid_utils.compat import uuid7

from tests.faults.answers import Answer, Breach
from tests.faults.crowd import Crowd, Link
from tests.faults.people import until
from tests.faults.plans import SERVERS, TASKS, Fault
from tests.faults.recital import Order
from tests.faults.recovery import IN_TIME, Recovery, Watch
from tests.faults.stage import Stage

__all__ = ["Scene", "throw"]

TWICE_THE_LEASE = 20.0  # seconds
OUTAGE = 5.0  # seconds that Redis is away
SAYS_SO = "lease was ended by another"


@dataclass
class Scene:
    """What a fault is thrown at."""

    stage: Stage
    crowd: Crowd
    fault: Fault
    random: Random

    def watch(self, label: str = "", *, elsewhere_than: str = "", answers_only: bool = False) -> Watch:
        """Begins to measure; `label` tells apart what one kind measures twice."""
        kind = f"{self.fault.kind}{label}"
        return Watch(self.crowd, kind, elsewhere_than=elsewhere_than, answers_only=answers_only)

    @property
    def link(self) -> Link:
        return self.crowd.links[self.fault.server]


Thrown = Awaitable[list[Recovery]]


async def throw(scene: Scene) -> list[Recovery]:
    """Throws the scene's fault; each recovery that took longer than IN_TIME is a breach of the crowd's."""
    recoveries = await THROWS[scene.fault.kind](scene)
    for each in recoveries:
        if each.overdue:
            scene.crowd.breaches.append(Breach("stuck", f"not well {IN_TIME:g} s after “{each.kind}”: {each}"))
    return recoveries


async def _killed(scene: Scene) -> list[Recovery]:
    server = scene.stage.server(scene.fault.server)
    workers = await scene.stage.worker_lost(server)
    watch = scene.watch()
    await asyncio.to_thread(server.kill)
    if scene.fault.kind == "machine lost":
        for worker in workers:
            await _query(scene, "UPDATE chats_worker SET boot_id = 'another machine' WHERE id::text = ?", worker)
    await asyncio.to_thread(server.start_again)
    return [await watch.done()]


async def _paused(scene: Scene) -> list[Recovery]:
    server = scene.stage.server(scene.fault.server)
    await scene.stage.worker_lost(server)
    said = server.output.count(SAYS_SO)
    wire = scene.stage.wires[scene.fault.server]
    if scene.fault.kind == "paused in commit":
        await asyncio.wait_for(wire.hold_next(), IN_TIME)
    server.pause()
    address = f"127.0.0.1:{server.port}"
    others = scene.watch(elsewhere_than=address, answers_only=True)
    await asyncio.sleep(TWICE_THE_LEASE / 4)
    scene.crowd.cut_off()  # whoever can goes elsewhere
    await asyncio.sleep(TWICE_THE_LEASE * 3 / 4)
    server.go_on()
    wire.let_go()
    itself = scene.watch(", itself")
    recoveries = [await others.done(), await itself.done()]
    if server.output.count(SAYS_SO) == said:
        scene.crowd.breaches.append(Breach("ended", "the paused process doesn't say that it lost its lease"))
    return recoveries


async def _queued(scene: Scene) -> list[Recovery]:
    """Nothing of the product leaves such a run today but a crash at the wrong moment: so it is written here."""
    walker, tab = scene.crowd.walkers[0], scene.crowd.tabs[0]
    await until(lambda: any(answer.ended.is_set() for answer in walker.answers.values()), IN_TIME)
    model = next(each for each in walker.answers.values() if each.ended.is_set())
    response, worker = str(uuid7()), str(uuid7())
    scene.stage.lost_workers.add(worker)
    for statement, values in _queued_run(model.response_id, response, worker):
        await _query(scene, statement, *values)
    now = time.monotonic()
    watched = await tab.watch(response)
    return [await _end_of(scene, watched, now)]


def _queued_run(model: str, response: str, worker: str) -> list[tuple[str, tuple[str, ...]]]:
    """The statements that write a queued run of a dead worker, like the run `model` otherwise."""
    as_model = "SELECT (jsonb_populate_record(model, ?::jsonb)).* FROM {0} model WHERE model.{1} = ?::uuid"
    message = {"id": response, "status": "queued", "parts": "[]", "errors": "[]", "sequence": None}
    message |= {"metadata": "{}", "unredacted": None, "usage": "{}", "finished_at": None}
    run = {"response_id": response, "status": "queued", "worker_id": worker, "request_id": None, "notes": "[]"}
    run |= {"error_type": None, "cancel_requested_at": None, "finished_at": None}
    lease = "INSERT INTO chats_worker (id, host, pid, boot_id, started_at, beat_at) VALUES (?::uuid, {0})"
    return [
        (lease.format("'elsewhere', 1, '', now(), now() - interval '1 hour'"), (worker,)),
        (f"INSERT INTO chats_message {as_model.format('chats_message', 'id')}", (json.dumps(message), model)),
        (f"INSERT INTO chats_run {as_model.format('chats_run', 'response_id')}", (json.dumps(run), model)),
    ]


async def _cancel_unheard(scene: Scene) -> list[Recovery]:
    asked = scene.link.asked
    assert asked is not None
    stopper = scene.crowd.stoppers[(scene.fault.server + 1) % SERVERS]
    begin = time.monotonic()
    async with _Without(scene) as redis:
        begin = time.monotonic()
        await scene.crowd.stop(asked, stopper, IN_TIME)
        ended = await _end_of(scene, asked, begin)
        await redis.for_seconds(OUTAGE)
    ended.all_well = (await redis.back.done()).all_well
    return [ended]


async def _end_unheard(scene: Scene) -> list[Recovery]:
    order = Order(seed=scene.random.getrandbits(32), events=50, per_second=25)
    asked = await scene.link.asker.insist(order, scene.random.choice(TASKS))
    watched = await scene.link.watcher.watch(asked.response_id, order)
    await until(lambda: watched.cursor >= 5 or watched.ended.is_set(), IN_TIME)
    async with _Without(scene) as redis:
        await until(asked.ended.wait, IN_TIME)
        ended = await _end_of(scene, watched, time.monotonic())
        await redis.for_seconds(OUTAGE)
    ended.all_well = (await redis.back.done()).all_well
    return [ended]


class _Without:
    """Redis is down in this block, and comes back empty; then `back` measures."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def __aenter__(self) -> Self:
        self._begin = time.monotonic()
        await asyncio.to_thread(self._scene.stage.redis.stop)
        return self

    async def for_seconds(self, seconds: float) -> None:
        await asyncio.sleep(max(0, self._begin + seconds - time.monotonic()))

    async def __aexit__(self, *error: object) -> None:
        await asyncio.to_thread(self._scene.stage.redis.start)
        self.back = self._scene.watch()


async def _redis_stopped(scene: Scene) -> list[Recovery]:
    async with _Without(scene) as redis:
        meanwhile = scene.watch(", meanwhile", answers_only=True)
        await redis.for_seconds(OUTAGE)
    return [await meanwhile.done(), await redis.back.done()]


async def _redis_frozen(scene: Scene) -> list[Recovery]:
    redis = scene.stage.redis
    redis.freeze()
    meanwhile = scene.watch(", meanwhile", answers_only=True)
    await asyncio.sleep(OUTAGE)
    redis.thaw()
    await asyncio.to_thread(redis.flush)
    return [await meanwhile.done(), await scene.watch().done()]


async def _database_restarted(scene: Scene) -> list[Recovery]:
    mode = "immediate" if scene.fault.kind == "database crashed" else "fast"
    await asyncio.to_thread(scene.stage.postgres.restart, mode)
    return [await scene.watch().done()]


async def _connections_killed(scene: Scene) -> list[Recovery]:
    await _query(
        scene,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    )
    return [await scene.watch().done()]


async def _cut(scene: Scene) -> list[Recovery]:
    cut = {"cut before commit": "before", "cut after commit": "after", "cut, commit late": "late"}[scene.fault.kind]
    await asyncio.wait_for(scene.stage.wires[scene.fault.server].cut_next(cut), IN_TIME)
    return [await scene.watch().done()]


async def _clients_cut_off(scene: Scene) -> list[Recovery]:
    scene.crowd.cut_off()
    return [await scene.watch().done()]


async def _end_of(scene: Scene, answer: Answer, begin: float) -> Recovery:
    """How long it takes from `begin` until a client has this answer's end."""
    recovery = Recovery(scene.fault.kind)
    try:
        await until(answer.ended.wait, IN_TIME)
    except TimeoutError:
        recovery.overdue = True
    else:
        recovery.answers = time.monotonic() - begin
    return recovery


async def _query(scene: Scene, statement: str, *values: object) -> None:
    await asyncio.to_thread(scene.stage.database.rows, statement, *values)


THROWS: dict[str, Callable[[Scene], Thrown]] = {
    "killed": _killed,
    "machine lost": _killed,
    "paused": _paused,
    "paused in commit": _paused,
    "queued": _queued,
    "cancel unheard": _cancel_unheard,
    "end unheard": _end_unheard,
    "redis stopped": _redis_stopped,
    "redis frozen": _redis_frozen,
    "database restarted": _database_restarted,
    "database crashed": _database_restarted,
    "connections killed": _connections_killed,
    "cut before commit": _cut,
    "cut after commit": _cut,
    "cut, commit late": _cut,
    "clients cut off": _clients_cut_off,
}
