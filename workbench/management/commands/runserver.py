"""Django's `runserver` would serve no websockets; daphne's does, reloading on a change of code."""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
