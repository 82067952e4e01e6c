"""The page on monitoring names what is counted, and nothing else."""

import re

import pytest
from prometheus_client import REGISTRY

import workbench.metrics  # noqa: F401 - registers what it counts
from tests.processes import ROOT

MONITORING = (ROOT / "docs" / "monitoring.md").read_text()
COUNTED = {family.name: family.type for family in REGISTRY.collect() if family.name.startswith("workbench_")}
OF_THE_ENGINE = {
    *("workbench_runs_in_progress", "workbench_subscribers", "workbench_connections", "workbench_abandoned_threads"),
    *("workbench_relay_failures", "workbench_relay_dropped"),
}


@pytest.mark.parametrize("name", sorted({*COUNTED, *OF_THE_ENGINE}))
def test_every_metric_is_explained(name):
    assert f"| `{name}` |" in MONITORING or f"| `{name}_total` |" in MONITORING


def test_every_metric_that_is_explained_is_there():
    explained = {
        name.removesuffix("_total") for name in re.findall(r"^\| `(workbench_\w+)` \|", MONITORING, re.MULTILINE)
    }
    assert explained == {*COUNTED, *OF_THE_ENGINE}
