"""What administrators set for a handler, in the database.

Owns the table. handlers.config merges its options with the other layers; handlers.registry reads it for each run,
so that a change holds from the next run on, in every process.
"""

from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.db import models, transaction


class HandlerConfig(models.Model):
    """One handler's settings. A handler without a row is enabled, for everybody, with its other layers' options."""

    name = models.CharField(max_length=64, unique=True, help_text="The handler's name; the API calls it “task”.")
    enabled = models.BooleanField(default=True, help_text="A handler that is off can't be started by anyone.")
    default = models.BooleanField(default=False, help_text="Answers in new chats that don't choose a handler.")
    label = models.CharField(max_length=100, blank=True, help_text="Shown to people in place of the handler's own.")
    groups = models.ManyToManyField(
        Group, blank=True, related_name="+", help_text="Who may use it. Without any group: everybody."
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="Values for the handler's options, over those of the environment."
    )
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["HandlerConfig"]] = models.Manager()

    class Meta:
        verbose_name = "handler configuration"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["default"], condition=models.Q(default=True), name="handlers_one_default_handler"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a row that becomes the default takes that place from the one that had it."""
        with transaction.atomic():
            if self.default:
                HandlerConfig.objects.filter(default=True).exclude(pk=self.pk).update(default=False)
            super().save(*args, **kwargs)
