"""Servers for tests: one that never gets ready doesn't outlive its test, and what it said is told."""

import subprocess

import pytest

from tests import processes
from tests.processes import ServerProcess

GOES_ON_MUTE = "import os, time; print('begun', flush=True); os.close(1); os.close(2); time.sleep(600)"


@pytest.fixture
def begun(monkeypatch):
    """The processes that were begun."""
    begun = []

    class Remembered(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            begun.append(self)

    monkeypatch.setattr(subprocess, "Popen", Remembered)
    return begun


def test_a_server_that_will_never_listen_is_ended_and_its_words_are_told(begun):
    with pytest.raises(AssertionError, match="was not printed; the output was:\nbegun"):
        ServerProcess("-c", GOES_ON_MUTE)
    assert [process.poll() is not None for process in begun] == [True]


def test_a_server_that_says_nothing_is_given_up_and_ended(begun, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0.1)
    with pytest.raises(AssertionError, match="was not printed"):
        ServerProcess("-c", "import time; time.sleep(600)")
    assert [process.poll() is not None for process in begun] == [True]
