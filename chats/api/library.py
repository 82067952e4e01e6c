"""What personas/ and prompts/ share: lists, and what an owner does with his own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_noop as _
from pydantic import AfterValidator, Field, StringConstraints
from rest_framework.request import Request

from chats import library
from chats.api.bodies import Body, read_object
from chats.api.door import Door, user_of
from chats.api.errors import json_response
from chats.api.pagination import page_of
from chats.protocol import CleanText, parse_body
from handlers.encoding import clean_text

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["KeptDoor", "KeptsDoor", "Kind", "LongText", "Name", "NewKept"]


def _worded(text: str) -> str:
    if not text.strip():
        raise ValueError(_("It can't be empty."))
    return text


_WORDED = Field(json_schema_extra={"pattern": r"\S"})  # what _worded asks for, for the API's own description
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=100),
    AfterValidator(clean_text),
    AfterValidator(_worded),
    _WORDED,
]
LongText = Annotated[CleanText, StringConstraints(max_length=100_000), AfterValidator(_worded), _WORDED]


class NewKept(Body):
    """What both kinds have. `groups`: names of groups of one's own, whose members may use it."""

    name: Name
    description: Annotated[CleanText, StringConstraints(strip_whitespace=True, max_length=300)] = ""
    groups: list[CleanText] = []


@dataclass(frozen=True, slots=True)
class Kind:
    """What the doors need to know of personas or prompts. Others' texts are shown where `text_is_open`."""

    model: type[Any]
    new: type[NewKept]
    changed: type[NewKept]
    text_field: str
    text_is_open: bool
    address: str  # the name of the address of one

    def represent(self, kept: Any, user: User) -> dict[str, Any]:
        own = kept.owner_id == user.pk
        shown = {"id": str(kept.pk), "name": kept.name, "description": kept.description, "own": own}
        if own or self.text_is_open:
            shown[self.text_field] = getattr(kept, self.text_field)
        if own:
            shown["groups"] = sorted(group.name for group in kept.groups.all())
        return shown


class KeptsDoor(Door):
    """GET: what the user may use. POST: a new one of his own."""

    kind: ClassVar[Kind]

    def get(self, request: Request) -> HttpResponse:
        user = user_of(request)
        listed = self.kind.model.objects.visible_to(user).prefetch_related("groups")
        return json_response(
            page_of(listed, request, "name", lambda page: [self.kind.represent(kept, user) for kept in page])
        )

    def post(self, request: Request) -> HttpResponse:
        user = user_of(request)
        body = parse_body(self.kind.new, read_object(request._request))
        made = library.create(self.kind.model, user, body.model_dump())
        location = request.build_absolute_uri(reverse(self.kind.address, args=[made.pk]))
        return json_response(self.kind.represent(made, user), 201, {"Location": location})


class KeptDoor(Door):
    """One: read by who may use it, changed and deleted by its owner."""

    kind: ClassVar[Kind]

    def get(self, request: Request, kept_id: str) -> HttpResponse:
        user = user_of(request)
        return json_response(self.kind.represent(library.get(self.kind.model, user, kept_id), user))

    def patch(self, request: Request, kept_id: str) -> HttpResponse:
        user = user_of(request)
        library.get(self.kind.model, user, kept_id)  # whose it is comes before what is wrong with the body
        changes = parse_body(self.kind.changed, read_object(request._request)).model_dump(exclude_unset=True)
        return json_response(self.kind.represent(library.change(self.kind.model, user, kept_id, changes), user))

    def delete(self, request: Request, kept_id: str) -> HttpResponse:
        library.delete(self.kind.model, user_of(request), kept_id)
        return HttpResponse(status=204)
