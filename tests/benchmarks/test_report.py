import json
from pathlib import Path

from tests.benchmarks.figures import Line, at_least, goal_of
from tests.benchmarks.report import document, kept, table

PASSED = Line("fast", 1.44, "x", at_least(1.2), "bare sends 41,647")
MISSED = Line("slow", 0.5, "x", at_least(1.2))
GOAL_MISSED = Line("own loops", 0.4, "x", goal_of(0.6))
MISSING = Line("shared", None, "", at_least(1), missing="Redis isn't installed")
FAILED = Line("broken", None, "", fault="gap after 7\nsecond line")


def test_one_miss_breaks_the_run_and_a_missed_goal_does_not() -> None:
    assert kept([PASSED, GOAL_MISSED])
    assert not kept([PASSED, MISSED])
    assert not kept([PASSED, FAILED])


def test_what_was_not_measured_breaks_only_a_run_that_needs_all() -> None:
    assert kept([PASSED, MISSING])
    assert not kept([PASSED, MISSING], all_measured=True)
    assert "not measured  Redis isn't installed" in table([MISSING])


def test_the_table_says_value_promise_and_verdict_of_each_line() -> None:
    shown = table([PASSED, GOAL_MISSED]).splitlines()
    assert shown[1].split() == ["fast", "1.44", "x", "≥", "1.2", "PASS", "bare", "sends", "41,647"]
    assert shown[2].split() == ["own", "loops", "0.4", "x", "≥", "0.6", "(goal)", "reported"]


def test_the_table_tells_why_a_line_failed() -> None:
    shown = table([FAILED]).splitlines()
    assert "MISS" in shown[1]
    assert shown[2:] == ["    gap after 7", "    second line"]


def test_the_document_carries_every_line_and_what_it_ran_on(tmp_path: Path) -> None:
    content = json.loads(document([PASSED, MISSED], quick=True, seconds=3.21, folder=tmp_path))
    assert [line["verdict"] for line in content["lines"]] == ["PASS", "MISS"]
    assert content["lines"][0]["value"] == 1.44
    assert (content["kept"], content["quick"]) == (False, True)
    assert content["machine"]["fsync_us"] > 0
