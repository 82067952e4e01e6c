"""What people keep to use again, alone or with their groups: personas and prompts.

Owns these tables and who sees what of them. One without an owner is the site's, looked after in the admin, for
everybody or for its groups; one with an owner is his, and for its groups to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chats.fields import new_id

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["Persona", "Prompt", "Shared"]

Kept_co = TypeVar("Kept_co", bound=models.Model, covariant=True)


class SharedQuerySet(models.QuerySet[Kept_co]):
    """Of one of the kinds below."""

    def visible_to(self, user: User) -> SharedQuerySet[Kept_co]:
        """The enabled ones that are `user`'s, the site's for everybody, or shared with one of his groups."""
        everybodys = Q(owner=None, groups=None)
        found = Q(owner=user) | everybodys | Q(groups__in=user.groups.all())
        return self.filter(found, enabled=True).distinct()


class Shared(models.Model):
    """The fields that all kinds have. Names are unique per owner, and among the site's."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="%(class)ss",
        help_text="Whose it is; nobody: the site's.",
    )
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True, default="")
    enabled = models.BooleanField(default=True)
    groups = models.ManyToManyField(
        Group, blank=True, help_text="Who may use it; nobody named: everybody, or of an owner's the owner alone."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="%(class)s_name_unique_per_owner"),
            models.UniqueConstraint(fields=["name"], condition=Q(owner=None), name="%(class)s_name_unique_of_site"),
        ]

    def __str__(self) -> str:
        return self.name


class Persona(Shared):
    """A prompt that handlers get as `persona`; its id goes to clients, its text to handlers and its owner."""

    prompt = models.TextField()

    objects = SharedQuerySet["Persona"].as_manager()


class Prompt(Shared):
    """A text to start a question from."""

    text = models.TextField()

    objects = SharedQuerySet["Prompt"].as_manager()
