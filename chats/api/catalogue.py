"""What a user may choose from: handlers, models, personas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from chats.api.door import Door, user_of
from chats.api.errors import json_response
from chats.api.pagination import page_of, whole_list
from chats.models import Persona
from handlers.models import available_models
from handlers.registry import registry

__all__ = ["HandlersDoor", "ModelsDoor", "PersonasDoor"]


class HandlersDoor(Door):
    """GET handlers/: also those that can't run now, with the reason."""

    def get(self, request: Request) -> HttpResponse:
        return json_response(whole_list([asdict(handler) for handler in registry.describe_for(request.user)]))


class ModelsDoor(Door):
    """GET models/: of all providers, also those that can't be asked now, with the reason."""

    def get(self, request: Request) -> HttpResponse:
        return json_response(whole_list([asdict(model) for model in available_models()]))


class PersonasDoor(Door):
    """GET personas/: those shared with everybody or with a group of the user's. Their prompts stay here."""

    def get(self, request: Request) -> HttpResponse:
        personas = Persona.objects.visible_to(user_of(request))
        return json_response(page_of(personas, request, "name", _represent))


def _represent(personas: Sequence[Persona]) -> list[dict[str, Any]]:
    return [{"id": str(persona.pk), "name": persona.name, "description": persona.description} for persona in personas]
