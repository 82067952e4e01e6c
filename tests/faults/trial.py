"""One seeded run: people use a stage, faults are thrown at it, and in the end all that anybody holds is held against
the log.

Owns the verdict: what counts as lost, doubled, reordered, altered, stuck or wrongly ended.
"""

import asyncio
import time
from dataclasses import dataclass, field

from tests.faults.answers import Breach
from tests.faults.crowd import Crowd
from tests.faults.plans import Plan
from tests.faults.recovery import Recovery
from tests.faults.stage import Stage
from tests.faults.throwing import Scene, throw

__all__ = ["Verdict", "run_trial"]


@dataclass
class Verdict:
    """What became of a run: sound if there are no breaches."""

    plan: Plan
    breaches: list[Breach] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    answers: int = 0  # in the log
    transcripts: int = 0  # at clients
    events: int = 0  # that clients held
    seconds: float = 0.0


async def run_trial(stage: Stage, plan: Plan) -> Verdict:
    """Runs a plan. What goes wrong is in the verdict, not raised."""
    verdict = Verdict(plan)
    begin = time.monotonic()
    ((began,),) = await asyncio.to_thread(stage.database.rows, "SELECT now()")
    try:
        async with Crowd(stage, plan) as crowd:
            verdict.breaches = crowd.breaches
            for fault in plan.faults:
                await asyncio.sleep(fault.after)
                verdict.recoveries += await throw(Scene(stage, crowd, fault, plan.person(f"fault {fault.kind}")))
            await crowd.finish()
            await asyncio.to_thread(_judge, stage, crowd, began, verdict)
    except (TimeoutError, AssertionError) as error:
        verdict.breaches.append(Breach("stuck", f"the run broke off: {error!r}"))
    verdict.seconds = time.monotonic() - begin
    return verdict


def _judge(stage: Stage, crowd: Crowd, began: object, verdict: Verdict) -> None:
    database = stage.database
    rows = database.rows(
        "SELECT response_id::text, worker_id::text, status, error_type FROM chats_run WHERE created_at >= ?", began
    )
    orders = crowd.orders()
    known = {answer.response_id for _, answer in crowd.answers()}
    verdict.answers = len(rows)
    for response_id, worker, status, error_type in rows:
        verdict.breaches += _judge_log(stage, response_id, orders)
        right = (
            {("completed", None)} if response_id not in crowd.cancelled else {("completed", None), ("cancelled", None)}
        )
        if worker in stage.lost_workers:
            right.add(("error", "worker_lost"))
        if (status, error_type) not in right:
            verdict.breaches.append(Breach("ended", f"{response_id} ended as {status}, {error_type}"))
        if response_id not in known:
            verdict.breaches.append(Breach("doubled", f"{response_id} was started for nobody"))
    for who, answer in crowd.answers():
        verdict.transcripts += 1
        verdict.events += len(answer.held)
        faults = answer.faults(database.response(answer.response_id))
        verdict.breaches += [Breach(each.kind, f"{who}, {answer.response_id}: {each.what}") for each in faults]


def _judge_log(stage: Stage, response_id: str, orders: dict) -> list[Breach]:
    stored = stage.database.response(response_id)
    if stored.run_status in ("queued", "running"):
        return [Breach("stuck", f"{response_id} hasn't ended")]
    try:
        stored.check(orders.get(response_id))
    except AssertionError as error:
        return [Breach("altered", f"the log of {response_id}: {str(error)[:300]}")]
    return []
