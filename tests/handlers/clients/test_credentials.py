"""Looking for AWS's credentials: as the SDK does, and never in an event loop's way."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from handlers.clients import credentials
from handlers.clients.credentials import NONE_FOUND, UNREADABLE, CredentialSearch
from handlers.errors import ClientUnavailable


def test_those_of_the_environment_are_found(aws: None) -> None:
    search = CredentialSearch()
    assert search.missing() is None
    assert search.get().access_key.startswith("AKIA")


def test_a_profile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "credentials"
    file.write_text("[team]\naws_access_key_id = one\naws_secret_access_key = two\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "team")
    assert CredentialSearch().missing() is None


def test_a_profile_that_is_not_there_is_named_in_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setattr(credentials, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(credentials, "PATIENCE", 20.0)
    search = CredentialSearch()
    for _ in range(2):
        search._done.clear()
        assert search.missing() == UNREADABLE
    (record,) = caplog.records
    assert "nobody" in record.getMessage()


def test_where_there_are_none_the_reason_says_what_to_do() -> None:
    search = CredentialSearch()
    assert search.missing() == NONE_FOUND
    with pytest.raises(ClientUnavailable, match="AWS_ACCESS_KEY_ID"):
        search.get()


async def test_on_an_event_loop_nothing_is_missing_until_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_look_for_credentials", lambda: time.sleep(0.3) or (None, NONE_FOUND, ""))
    search = CredentialSearch()
    assert search.missing() is None
    search._done.wait(5)
    assert search.missing() == NONE_FOUND


def test_those_that_come_later_are_found_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    search = CredentialSearch()
    assert search.missing() == NONE_FOUND
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "one")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "two")
    assert search.missing() == NONE_FOUND  # it doesn't look each time
    monkeypatch.setattr(credentials, "LOOK_AGAIN", 0.0)
    deadline = time.monotonic() + 10
    while search.missing() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert search.missing() is None


async def test_asking_on_an_event_loop_imports_no_sdk_there() -> None:
    code = """
import asyncio, sys, threading, django
django.setup()
from django.conf import settings
from handlers.models import available_models
settings.AWS_REGION = "us-east-1"
importers = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in {"boto3", "botocore"}:
            importers.append(threading.current_thread() is threading.main_thread())
sys.meta_path.insert(0, Watch())
async def main():
    available_models()
    await asyncio.sleep(1.5)
asyncio.run(main())
print(importers and not any(importers))
"""
    found = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "True", found.stderr
