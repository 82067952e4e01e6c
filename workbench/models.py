"""The user. One deployment is one tenant; `auth.Group` is the unit of sharing."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from uuid_utils.compat import uuid7


class User(AbstractUser):
    """Who logs in. The id is a UUIDv7 since clients and handlers see it: a number would tell how many users there
    are, and invites guessing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
