"""Correlation ids of requests."""

import logging
import re

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from chats.logcontext import RunContextFilter
from workbench.correlation import correlate_requests


def answer(**headers):
    """The answer to a request, and what its log line says of correlation."""
    found = []

    def view(request):
        record = logging.LogRecord("a", logging.INFO, "", 0, "said", (), None)
        RunContextFilter().filter(record)
        found.append(record.correlation_id)
        return HttpResponse()

    response = correlate_requests(view)(RequestFactory().get("/", headers=headers))
    return response["X-Correlation-Id"], found[0]


def test_the_answer_names_the_id_that_the_log_has():
    told, logged = answer()
    assert told == logged
    assert answer()[0] != told


def test_a_clients_own_id_isnt_believed():
    assert answer(**{"X-Correlation-Id": "chosen-by-a-client"})[0] != "chosen-by-a-client"


@pytest.mark.parametrize(("given", "taken"), [("from-the-proxy-1", True), ("no\tgood", False), ("x" * 65, False)])
def test_a_trusted_proxys_is_if_it_looks_like_one(settings, given, taken):
    settings.WORKBENCH_TRUST_PROXY = True
    told, _ = answer(**{"X-Correlation-Id": given})
    assert (told == given) is taken
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", told)


def test_lines_outside_a_request_name_none():
    record = logging.LogRecord("a", logging.INFO, "", 0, "said", (), None)
    RunContextFilter().filter(record)
    assert not hasattr(record, "correlation_id")
