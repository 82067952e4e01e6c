"""Personas: the site's, one's groups', one's own. Others' prompts stay on the server."""

from __future__ import annotations

from chats.api.library import KeptDoor, KeptsDoor, Kind, LongText, Name, NewKept
from chats.models import Persona

__all__ = ["PersonaDoor", "PersonasDoor"]


class NewPersona(NewKept):
    """POST personas/"""

    prompt: LongText


class PersonaChange(NewKept):
    """PATCH personas/{id}/: what is named changes."""

    name: Name = ""
    prompt: LongText = ""


PERSONAS = Kind(Persona, NewPersona, PersonaChange, "prompt", text_is_open=False, address="api:persona")


class PersonasDoor(KeptsDoor):
    """GET, POST personas/"""

    kind = PERSONAS


class PersonaDoor(KeptDoor):
    """GET, PATCH, DELETE personas/{id}/"""

    kind = PERSONAS
