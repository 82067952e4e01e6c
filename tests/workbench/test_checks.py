"""The system checks, and Django's own for deployment."""

import os
import subprocess
import sys
from pathlib import Path

from workbench import checks
from workbench.environment import Environment
from workbench.filestorage import S3

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "SECRET_KEY": "a-key-for-this-test-only-which-is-long-and-varied-enough-0123456789",
    "ALLOWED_HOSTS": "chat.example.org",
    "WORKBENCH_TRUST_PROXY": "on",
}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """manage.py in an environment that has, of our variables, only those given."""
    bare = {name: value for name, value in os.environ.items() if name.lower() not in Environment.model_fields}
    bare.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=bare | variables, capture_output=True, text=True
    )


def test_a_mistyped_variable_is_a_warning_with_a_hint(monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_RUN", "5")
    (warning,) = checks.check_unknown_variables()
    assert (warning.id, warning.hint) == ("workbench.W001", "Did you mean WORKBENCH_MAX_RUNS?")


def test_postgresql_without_its_driver_is_an_error(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    (error,) = checks.check_postgres_driver()
    assert error.id == "workbench.E001"


def test_a_bucket_without_its_storage_is_an_error(settings, monkeypatch):
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": S3}}
    assert checks.check_s3_storage() == []
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    (error,) = checks.check_s3_storage()
    assert error.id == "workbench.E002"


def test_the_production_configuration_passes_djangos_deployment_checks():
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_without_debug_a_key_is_required():
    done = manage("check")
    assert done.returncode == 1
    assert "SECRET_KEY: not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_variable_ends_the_command_without_a_trace():
    done = manage("check", WORKBENCH_MAX_RUNS="many", **PRODUCTION)
    assert done.returncode == 1
    assert "WORKBENCH_MAX_RUNS: 'many'" in done.stderr
    assert "Traceback" not in done.stderr
