"""What a user may choose from: handlers and models."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpResponse
from rest_framework.request import Request

from chats.api.door import Door
from chats.api.errors import json_response
from chats.api.pagination import whole_list
from handlers.models import available_models
from handlers.registry import registry

__all__ = ["HandlersDoor", "ModelsDoor"]


class HandlersDoor(Door):
    """GET handlers/: also those that can't run now, with the reason."""

    def get(self, request: Request) -> HttpResponse:
        return json_response(whole_list([asdict(handler) for handler in registry.describe_for(request.user)]))


class ModelsDoor(Door):
    """GET models/: of all providers, also those that can't be asked now, with the reason."""

    def get(self, request: Request) -> HttpResponse:
        return json_response(whole_list([asdict(model) for model in available_models()]))
