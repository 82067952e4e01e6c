"""Makes the users that the load comes from, one per stream as in life, and prints a token for each.

Run as a process of its own, `python -m tests.benchmarks.accounts COUNT`, with the product's environment.
"""

import sys

import django


def make(count: int) -> list[str]:
    """Secrets of `count` new users' tokens that may read and generate."""
    from django.contrib.auth import get_user_model
    from django.db import transaction

    from chats.models import AccessToken

    scopes = [AccessToken.Scope.READ.value, AccessToken.Scope.GENERATE.value]
    with transaction.atomic():
        users = [get_user_model().objects.create_user(f"benchmark-{number}") for number in range(1, count + 1)]
        return [AccessToken.issue(user, scopes=scopes)[1] for user in users]


if __name__ == "__main__":
    django.setup()
    sys.stdout.write("\n".join(make(int(sys.argv[1]))))
