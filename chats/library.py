"""Use cases of what people keep to use again: personas and prompts, made, changed and deleted by their owners.

Owns who may change what: the owner his own; what is shared with a group is its members' to read and use, and the
site's is the admin's. One shape serves both kinds. Synchronous: call it from a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.models import Group
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from chats import reading
from chats.commits import commit
from chats.models import Persona, Prompt
from chats.protocol import DoorError

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["MAX_OWN", "change", "create", "delete", "get"]

MAX_OWN = 500  # of a kind, of one owner
Kept = TypeVar("Kept", Persona, Prompt)
Fields = Mapping[str, Any]


def get(kind: type[Kept], user: User, key: str) -> Kept:
    """One that the user sees. Raises DoorError not_found."""
    words = f"There is no such {_noun(kind)}, or it isn't shared with you."
    return reading.pick(kind.objects.visible_to(user), key, words)


def create(kind: type[Kept], user: User, fields: Fields) -> Kept:
    """A new one of the user's; `groups` are names of his groups. Raises DoorError: invalid, conflict, rate_limited."""
    groups = _groups(user, fields.get("groups", []))
    made = kind(owner=user, **{name: value for name, value in fields.items() if name != "groups"})
    return _stored(_insert, made, groups)


def change(kind: type[Kept], user: User, key: str, changes: Fields) -> Kept:
    """The user's own, with these changes. Raises DoorError: not_found, forbidden, invalid, conflict."""
    kept = _own(kind, user, key)
    groups = _groups(user, changes["groups"]) if "groups" in changes else None
    fields = {name: value for name, value in changes.items() if name != "groups"}
    for name, value in fields.items():
        setattr(kept, name, value)
    return _stored(partial(_update, fields=fields), kept, groups)


def delete(kind: type[Kept], user: User, key: str) -> None:
    """Deletes the user's own; runs that were given its text keep it. Raises DoorError: not_found, forbidden."""
    commit(_delete, _own(kind, user, key))


def _own(kind: type[Kept], user: User, key: str) -> Kept:
    kept = get(kind, user, key)
    if kept.owner_id != user.pk:
        raise DoorError("forbidden", f"This {_noun(kind)} is shared with you to use, not to change. Make one of yours.")
    return kept


def _groups(user: User, names: list[str]) -> list[Group]:
    found = list(user.groups.filter(name__in=names))
    unknown = sorted(set(names) - {group.name for group in found})
    if unknown:
        message = f"You aren't a member of {', '.join(unknown)}."
        raise DoorError("invalid", f"“groups” isn't right: {message}", fields={"groups": [message]})
    return found


def _stored(job: Any, kept: Kept, groups: list[Group] | None) -> Kept:
    try:
        commit(job, kept, groups)
    except IntegrityError as error:
        taken = {"name": [_("It is taken.")]}
        raise DoorError("conflict", f"You have a {_noun(type(kept))} “{kept.name}” already.", fields=taken) from error
    return kept


def _noun(kind: type[Kept]) -> str:
    return kind.__name__.lower()


# Jobs of the journal's thread


def _insert(kept: Kept, groups: list[Group]) -> None:
    if type(kept).objects.filter(owner=kept.owner_id).count() >= MAX_OWN:
        message = _("You have %(count)s of these, which is the most. Delete some first.")
        raise DoorError("invalid", message, values={"count": MAX_OWN})
    kept.save(force_insert=True)
    kept.groups.set(groups)


def _update(kept: Kept, groups: list[Group] | None, fields: Fields) -> None:
    """Only what is to change: the rest may have been changed by others since `kept` was read."""
    kept.updated_at = timezone.now()
    found = type(kept).objects.filter(pk=kept.pk, owner=kept.owner_id)
    if not found.update(**fields, updated_at=kept.updated_at):
        raise DoorError("not_found", f"There is no such {_noun(type(kept))}, or it isn't shared with you.")
    if groups is not None:
        kept.groups.set(groups)


def _delete(kept: Kept) -> None:
    type(kept).objects.filter(pk=kept.pk, owner=kept.owner_id).delete()
