"""The fault driver in short: the few seeds that throw each fault which is over in seconds. `make faults` throws all.

One of these that fails replays with `make faults SEED=n`.
"""

import os

import pytest
import pytest_asyncio

from tests.faults.plans import Plan, short_seeds
from tests.faults.services import missing_programs
from tests.faults.stage import Stage
from tests.faults.trial import run_trial

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage():
    if missing := missing_programs():
        reason = f"needs the programs of {' and '.join(missing)}: the driver starts its own"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    async with Stage() as stage:
        yield stage


@pytest.mark.parametrize("seed", short_seeds())
async def test_nothing_is_lost_doubled_reordered_or_stuck(stage, seed):
    verdict = await run_trial(stage, Plan.of(seed))
    assert verdict.breaches == []
    assert verdict.answers > 3
