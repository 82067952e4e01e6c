"""The report through the whole product, engine and database, on each provider: well, failing, and stopped."""

from typing import Any

import pytest

from chats.runs import cancel_run, start_run
from tests.chats.live import make_user
from tests.chats.scripted import Finished, body_of, until, wait_for_end
from tests.contract.providers import ProviderUnderTest
from tests.standins.behaviour import Behaviour, ask_for

TEXTS = [
    {"type": "note", "title": "Moon", "content": "The moon pulls the sea. Spring tides are higher than others."},
    {"type": "note", "title": "Power", "content": "The moon drives power stations too. They turn tides into current."},
]
# As an outline it is one question, as a choice passage 1, as a section a sentence that stands in it.
SENSIBLE = Behaviour(say="The moon pulls the sea [1].")


class Reports:
    """One user's reports with the model under test."""

    def __init__(self, tested: ProviderUnderTest) -> None:
        self.user = make_user()
        self._model_id = tested.model_id

    def start(self, behaviour: Behaviour) -> str:
        asked = f"What moves the sea? {ask_for(behaviour)}"
        return start_run(self.user, body_of(asked, task="workflow", model_id=self._model_id, context=TEXTS)).response_id

    def make(self, behaviour: Behaviour) -> Finished:
        return wait_for_end(self.start(behaviour))


@pytest.fixture
def reports(tested: ProviderUnderTest, engine: Any) -> Reports:
    return Reports(tested)


def _facts(finished: Finished) -> dict[str, Any]:
    facts: dict[str, Any] = finished.message.metadata["report"]
    return facts


def test_a_report_by_the_model_is_cited_checked_and_counted(reports: Reports, tested: ProviderUnderTest) -> None:
    finished = reports.make(SENSIBLE)
    assert finished.outcome == ("completed", None)
    assert "The moon pulls the sea [1]." in finished.text
    assert _facts(finished) | {"sections_by_model": 1, "unsupported": 0} == _facts(finished)
    citations = [part for part in finished.message.parts if part["kind"] == "citation"]
    assert [(part["document_title"], part["reference_number"]) for part in citations] == [("Moon", 1)]
    assert citations[0]["content"] in TEXTS[0]["content"]
    assert finished.message.usage["output_tokens"] > 0
    assert "cost" in finished.message.metadata
    assert len(tested.seen) == 1 + len(TEXTS) + 1  # the outline, each text, one section


@pytest.mark.parametrize(
    ("behaviour", "error_type", "requests"),
    [
        (Behaviour(refuse="denied"), "unavailable", 1),
        (Behaviour(throttle=1000, retry_after=60), "throttled", 1),
        (Behaviour(cut=2), "model_error", 6),
        (Behaviour(silent=True), "model_error", 6),
        (Behaviour(fail=1), None, None),
    ],
    ids=["denied", "throttled", "cut", "no end", "failing midway"],
)
def test_a_failing_model_costs_no_report_and_is_on_record(
    reports: Reports, tested: ProviderUnderTest, behaviour: Behaviour, error_type: str | None, requests: int | None
) -> None:
    finished = reports.make(behaviour)
    assert finished.outcome == ("completed", None)
    assert "no language model wrote or understood any of this" in finished.text
    assert "“The moon pulls the sea.” [" in finished.text
    errors = [event for event in finished.log if event.type == "error"]
    assert errors
    assert all(error.details for error in errors)
    if error_type:
        assert [fields["error_type"] for fields in finished.fields("error")] == [error_type]
        assert len(tested.seen) <= requests


def test_a_model_that_says_nothing_is_given_up_and_the_report_made_without_it(reports: Reports, settings: Any) -> None:
    settings.WORKBENCH_MODEL_FIRST_TOKEN_TIMEOUT = 0.2
    finished = reports.make(Behaviour(hang=30))
    assert finished.outcome == ("completed", None)
    assert [fields["error_type"] for fields in finished.fields("error")] == ["timeout"]
    assert "no language model wrote" in finished.text


def test_a_stopped_report_ends_all_its_requests_at_the_server(reports: Reports, tested: ProviderUnderTest) -> None:
    response_id = reports.start(Behaviour(say="The moon pulls the sea [1].", stall=3))
    until(lambda: tested.seen and tested.seen[0].said >= 3, "the model was asked")
    cancel_run(reports.user, response_id)
    assert wait_for_end(response_id).outcome == ("cancelled", None)
    for number in range(len(tested.seen)):
        assert tested.wait_until_closed(number)
