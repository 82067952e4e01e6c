"""Who may open a websocket, and what it may read. Synchronous: queries, called from a thread.

Owns the checks at the socket's door: origin, credential, scopes, ownership. Order matters: a page of
another site learns nothing, not even whether somebody is logged in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from chats.credentials import Credential, SessionCredential, TokenCredential, find_token, note_use
from chats.limits import Place, take_place
from chats.models import UNFINISHED, AccessToken, Run
from chats.protocol import ClosingCode, DoorError, is_uuid7
from chats.tickets import redeem_ticket

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["Admission", "Refused", "admit", "enter", "hello", "status_of"]


class Refused(Exception):
    """The socket is closed with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Admission:
    """Who is on a socket, and by what right. Each is itself: hashing a thousand by their users blocks the loop."""

    user: User
    credential: Credential
    scopes: frozenset[str] | None = None  # None: all, as a login has

    def allows(self, scope: str) -> bool:
        return self.scopes is None or scope in self.scopes

    def require(self, scope: str) -> None:
        if not self.allows(scope):
            raise DoorError("forbidden", f"This access token lacks the scope “{scope}”.")


def admit(scope: Mapping[str, Any]) -> Admission:
    """Who opens this socket. Raises Refused."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if not _is_welcome_origin(headers):
        raise Refused(ClosingCode.WRONG_ORIGIN)
    try:
        admitted = _admission(scope, headers)
    except DoorError as refusal:
        raise Refused(ClosingCode.RESTART) from refusal  # its ticket can't be looked for now
    if admitted is None:
        raise Refused(ClosingCode.UNAUTHORIZED)
    return admitted


def enter(scope: Mapping[str, Any]) -> tuple[Admission, Place]:
    """Who opens this socket, and the place that it takes among theirs. Raises Refused."""
    admitted = admit(scope)
    try:
        return admitted, take_place(admitted.user.pk)
    except DoorError as refusal:
        raise Refused(ClosingCode.TOO_MANY_SOCKETS) from refusal


def _is_welcome_origin(headers: Mapping[str, str]) -> bool:
    """Browsers send Origin, other clients usually don't. Ours is the one whose host is the request's."""
    origin = headers.get("origin")
    if origin is None or origin in settings.WORKBENCH_ALLOWED_ORIGINS:
        return True
    host = headers.get("host", "")
    domain, _ = split_domain_port(host)
    allowed_hosts = settings.ALLOWED_HOSTS or (["localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    place = origin.partition("://")[2].lower()  # anything may stand there: urlsplit raises for some of it
    return place != "" and place == host.lower() and validate_host(domain, allowed_hosts)


def _admission(scope: Mapping[str, Any], headers: Mapping[str, str]) -> Admission | None:
    authorization = headers.get("authorization", "")
    if authorization.strip().partition(" ")[0].lower() == "bearer":  # a proxy's own scheme leaves the login to speak
        token = find_token(authorization)
        if token is None:
            return None
        note_use(token)
        return Admission(token.user, TokenCredential(token.pk), frozenset(token.scopes))
    ticket = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("ticket")
    credential = redeem_ticket(ticket[0]) if ticket else _session_credential(headers)
    user = credential.find_user() if credential is not None else None
    return None if credential is None or user is None else Admission(user, credential, _scopes_of(credential))


def _session_credential(headers: Mapping[str, str]) -> Credential | None:
    # Channels' session middleware would do it too, and then look at the session before every frame that is sent.
    key = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    return SessionCredential(key) if key else None


def _scopes_of(credential: Credential) -> frozenset[str] | None:
    if not isinstance(credential, TokenCredential):
        return None
    token = AccessToken.objects.valid().filter(pk=credential.token_id).first()
    return frozenset(token.scopes) if token else frozenset()


def hello(admitted: Admission) -> dict[str, Any]:
    """What a socket is greeted with: who it is, and what is running, each up to which sequence."""
    user = admitted.user
    running = Run.objects.visible_to(user).filter(status__in=UNFINISHED).order_by("response_id")
    if not admitted.allows("read"):
        running = running.none()
    rows = running.annotate(last=Max("response__events__sequence")).values_list("chat_id", "response_id", "last")
    return {
        "user_id": str(user.pk),
        "running": [
            {"chat_id": str(chat_id), "response_id": str(response_id), "sequence": -1 if last is None else last}
            for chat_id, response_id, last in rows
        ],
    }


def status_of(user: User, response_id: str) -> str:
    """The status of a response in one of the user's chats. Raises DoorError not_found for any other."""
    status = None
    if is_uuid7(response_id):
        found = Run.objects.visible_to(user).filter(pk=UUID(response_id))
        status = found.values_list("status", flat=True).first()
    if status is None:
        raise DoorError("not_found", "There is no such response, or it isn't yours.", response_id=response_id)
    return status
