"""Makes a site's users and prints them as JSON. A process of its own, with the site's environment:
`python -m tests.faults.accounts COUNT`."""

import json
import sys

import django

PASSWORD = "correct horse battery staple"


def make(count: int) -> list[dict[str, str]]:
    """`count` new users, each with their name, id and a token for everything."""
    from django.contrib.auth import get_user_model

    from chats.models import AccessToken

    made = []
    for number in range(1, count + 1):
        user = get_user_model().objects.create_user(f"person-{number}", password=PASSWORD)
        token = AccessToken.issue(user, scopes=AccessToken.Scope.values)[1]
        made.append({"name": user.username, "id": str(user.pk), "token": token})
    return made


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(make(int(sys.argv[1]))))
