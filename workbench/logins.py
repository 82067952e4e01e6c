"""The login page and the admin's, with a bound on failed tries: of one user name, from one address.

A try is counted before the password is looked at, so that many at once get no further, and forgotten when it was right.
What counts is chats.limits'.
"""

from __future__ import annotations

import math
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import ngettext

from chats import limits

__all__ = ["AdminLoginForm", "Login", "LoginForm"]


class _Bounded(AuthenticationForm):
    retry_after: int | None = None  # seconds, where there were too many tries

    def clean(self) -> dict[str, Any]:
        if not {"username", "password"} <= self.cleaned_data.keys():
            return super().clean()  # nothing was tried: Django comes here after a field's own error too
        username = self.cleaned_data["username"]
        address = self.request.META.get("REMOTE_ADDR", "") if self.request is not None else ""
        wait = limits.take_login_try(username, address)
        if wait is not None:
            self.retry_after = max(1, math.ceil(wait))
            raise ValidationError(_too_many(self.retry_after), code="rate_limited")
        cleaned = super().clean()
        if self.get_user() is not None:
            limits.forget_failed_logins(username, address)
        return cleaned


def _too_many(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return ngettext(
        "Too many failed tries with this user name. Wait a minute, then try again.",
        "Too many failed tries with this user name. Wait %(minutes)d minutes, then try again.",
        minutes,
    ) % {"minutes": minutes}


class LoginForm(_Bounded):
    """The site's."""


class AdminLoginForm(_Bounded, AdminAuthenticationForm):
    """The admin's, for staff."""


class Login(LoginView):
    """The site's login page; 429 after too many failed tries."""

    form_class = LoginForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        if form.retry_after is not None:
            response.status_code = 429
            response.headers["Retry-After"] = str(form.retry_after)
        return response
