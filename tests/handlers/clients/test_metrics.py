"""Metrics as handlers record them, in the text that Prometheus reads."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from handlers.clients import clients, metrics_client
from handlers.clients.metrics import MOST_LABELS, MetricsClient, noted


@pytest.fixture
def exported() -> CollectorRegistry:
    return CollectorRegistry()


def _text(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def test_a_counter_counts_by_its_tags(exported: CollectorRegistry) -> None:
    metrics = MetricsClient(exported)
    metrics.increment("handler.success", tags={"handler": "chat"})
    metrics.increment("handler.success", 2, tags={"handler": "chat"})
    assert 'handler_success_total{handler="chat"} 3.0' in _text(exported)


def test_a_histogram_sums_its_values(exported: CollectorRegistry) -> None:
    metrics = MetricsClient(exported)
    metrics.histogram("handler.duration", 0.5)
    metrics.histogram("handler.duration", 1.5)
    assert "handler_duration_sum 2.0" in _text(exported)
    assert "handler_duration_count 2.0" in _text(exported)


def test_other_tags_than_at_first_cost_no_answer(exported: CollectorRegistry) -> None:
    metrics = MetricsClient(exported)
    metrics.increment("calls", tags={"handler": "chat", "kind": "a"})
    metrics.increment("calls", tags={"handler": "chat", "region": "x"})
    assert 'calls_total{handler="chat",kind=""} 1.0' in _text(exported)


def test_what_cannot_be_recorded_is_logged_and_never_raised(
    exported: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = MetricsClient(exported)
    metrics.increment("calls")
    metrics.histogram("calls", 1)
    metrics.increment("calls", -1)
    assert caplog.text.count("Metric calls can't be recorded") == 2


def test_every_run_is_counted_by_its_outcome_and_timed(exported: CollectorRegistry) -> None:
    metrics = MetricsClient(exported)
    metrics.record_run("chat", "completed", 0.5)
    metrics.record_run("chat", "error", 1.5, error_type="throttled")
    metrics.record_run("chat", "cancelled", 1.0)
    text = _text(exported)
    assert 'handler_success_total{handler="chat"} 1.0' in text
    assert 'handler_error_total{error_type="throttled",handler="chat"} 1.0' in text
    assert 'handler_cancelled_total{handler="chat"} 1.0' in text
    assert 'handler_duration_sum{handler="chat"} 3.0' in text


def test_what_a_handler_recorded_of_its_run_itself_is_not_counted_twice(exported: CollectorRegistry) -> None:
    metrics = MetricsClient(exported)
    with noted() as own:
        metrics.increment("handler.success", tags={"handler": "chat"})
        metrics.histogram("handler.duration", 2.0, tags={"handler": "chat"})
    metrics.record_run("chat", "completed", 2.1, own=own)
    text = _text(exported)
    assert 'handler_success_total{handler="chat"} 1.0' in text
    assert 'handler_duration_count{handler="chat"} 1.0' in text


def test_there_is_one_for_all() -> None:
    assert clients.get("metrics") is metrics_client


def test_tags_without_end_dont_fill_the_memory():
    registry = CollectorRegistry()
    metrics = MetricsClient(registry)
    for number in range(2 * MOST_LABELS):
        metrics.increment("lookups", tags={"document": number})
    assert registry.get_sample_value("lookups_total", {"document": "0"}) == 1
    assert registry.get_sample_value("lookups_total", {"document": "other"}) == MOST_LABELS
