"""The list of handlers and models."""

from io import StringIO

import pytest
from django.core.management import call_command

from handlers.config_store import HandlerConfig


@pytest.mark.django_db
def test_what_is_available_and_why_not_is_listed():
    HandlerConfig.objects.create(name="demo", enabled=False)
    output = StringIO()
    call_command("list_models", stdout=output)
    lines = [line.split(maxsplit=1) for line in output.getvalue().splitlines() if line.startswith("  ")]
    listed = dict(lines)
    assert listed["offline"] == "available"
    assert listed["chat"] == "available"
    assert listed["demo"].startswith("not available: ")
