"""The Content-Security-Policy, on real pages and beside a streamed response."""

import re

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from workbench.csp import content_security_policy

HEADER = "Content-Security-Policy"


@pytest.mark.django_db
def test_a_page_allows_its_own_files_and_no_html_from_text(client):
    policy = client.get("/login/")[HEADER]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_the_admin_goes_without_trusted_types(client):
    policy = client.get("/admin/login/")[HEADER]
    assert "default-src 'none'" in policy
    assert "trusted-types" not in policy


def test_each_response_has_its_own_nonce_which_the_view_could_use():
    used = []

    def view(request):
        used.append(request.csp_nonce)
        return HttpResponse()

    middleware = content_security_policy(view)
    policies = [middleware(RequestFactory().get("/"))[HEADER] for _ in range(2)]
    assert [re.search(r"'nonce-([^']+)'", policy)[1] for policy in policies] == used
    assert used[0] != used[1]


def test_a_view_may_set_its_own_policy():
    middleware = content_security_policy(lambda request: HttpResponse(headers={HEADER: "default-src 'self'"}))
    assert middleware(RequestFactory().get("/"))[HEADER] == "default-src 'self'"


async def test_async_views_get_the_same():
    async def view(request):
        return HttpResponse()

    response = await content_security_policy(view)(RequestFactory().get("/"))
    assert "default-src 'none'" in response[HEADER]
