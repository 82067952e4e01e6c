"""A ticket for a websocket, for browsers that can send it neither our cookie nor a header."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from chats.api.authentication import credential_of
from chats.api.door import Door
from chats.api.errors import json_response
from chats.models import AccessToken
from chats.tickets import LIFETIME, issue_ticket

__all__ = ["SocketTicketDoor"]


class SocketTicketDoor(Door):
    """POST socket-ticket/. The socket gets its bearer's rights, no more; so being able to read is enough."""

    scopes = {"POST": AccessToken.Scope.READ}

    def post(self, request: Request) -> HttpResponse:
        return json_response({"ticket": issue_ticket(credential_of(request)), "expires_in": LIFETIME}, 201)
