"""What was seen live is what is stored, replayed and read: through runner, journal, database and every door."""

from dataclasses import replace

import pytest
from hypothesis import given

from tests.properties.budget import law_settings
from tests.properties.law import check
from tests.properties.plants import FAULTS
from tests.properties.scripts import Script, scripts
from tests.properties.stage import Stage


@law_settings(60)
@given(scripts())
def test_live_replay_parts_and_rest_are_one(stage: Stage, script: Script) -> None:
    check(stage.perform(script))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_hint_that_is_lost_doubled_or_late_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    FAULTS[fault](monkeypatch)

    @law_settings(20)
    @given(scripts(fewest=5))
    def law_holds(script: Script) -> None:
        # What is unstored lives by the hint alone: nobody is expected to have seen all of it.
        check(stage.perform(replace(script, eager=True)))

    law_holds()
