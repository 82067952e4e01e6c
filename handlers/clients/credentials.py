"""Whether AWS's credentials can be found, the way that the SDK finds them.

The look itself may ask the machine's metadata service, so it is made in a thread. Whoever asks on an event loop is
told what is known so far: that nothing is missing, until it is known that something is.
"""

import asyncio
import logging
import threading
import time
from typing import Any

from django.conf import settings

from handlers.errors import ClientUnavailable

logger = logging.getLogger(__name__)

NONE_FOUND = (
    "No AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the "
    "machine a role."
)
UNREADABLE = "AWS's credentials can't be read; the server's log says why."  # every user may read it
PATIENCE = 2.0  # seconds that a thread waits for the first look: that of an environment or a file takes 0.1
LONGEST_LOOK = 15.0  # seconds that is waited where nothing can be done without them
LOOK_AGAIN = 30.0  # seconds after which credentials that weren't found are looked for again


class CredentialSearch:
    """One process's knowledge of its credentials. Found ones are taken to stay; the SDK renews them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._reason: str | None = None
        self._found: Any = None
        self._api_key = False
        self._looked_at = float("-inf")
        self._logged = ""  # the problem that the log has last, until there is none

    def missing(self, *, or_api_key: bool = False) -> str | None:
        """What is known to be missing, in a sentence; None when credentials were found, or are being looked for.

        `or_api_key`: a Bedrock API key will do too.
        """
        self._look_if_due()
        if not _on_event_loop():
            self._done.wait(PATIENCE)
        return None if or_api_key and self._api_key else self._reason

    def get(self) -> Any:
        """The SDK's credentials, which renew themselves; blocks. Raises ClientUnavailable."""
        self._look_if_due()
        self._done.wait(LONGEST_LOOK)
        if self._found is None:
            raise ClientUnavailable("aws", self._reason or NONE_FOUND)
        return self._found

    def forget(self) -> None:
        """Look again at the next question."""
        with self._lock:
            self._done, self._looked_at = threading.Event(), float("-inf")
            self._found = self._reason = None
            self._api_key = False

    def _look_if_due(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._found is not None or now - self._looked_at < LOOK_AGAIN:
                return
            self._looked_at = now
            threading.Thread(target=self._look, args=(self._done,), name="aws-credentials", daemon=True).start()

    def _look(self, done: threading.Event) -> None:
        found, reason, words = _look_for_credentials()
        api_key = _has_api_key()
        with self._lock:
            if done is self._done:
                self._found, self._reason, self._api_key = found, reason, api_key
                self._log(words)
        done.set()

    def _log(self, words: str) -> None:
        if words and words != self._logged:
            logger.warning("AWS's credentials can't be read: %s", words)
        self._logged = words


def _look_for_credentials() -> tuple[Any, str | None, str]:
    """The credentials, or why there are none: in a sentence, and where the SDK says more, its words for the log."""
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        found = boto3.Session(region_name=settings.AWS_REGION).get_credentials()
    except BotoCoreError as error:
        return None, UNREADABLE, f"{type(error).__name__}: {error}"
    return (found, None, "") if found else (None, NONE_FOUND, "")


def _has_api_key() -> bool:
    from botocore.utils import get_token_from_environment

    return bool(get_token_from_environment("bedrock"))


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


credential_search = CredentialSearch()


def missing_credentials() -> str | None:
    """What AWS's clients lack: a region or credentials. Never waits on an event loop."""
    return missing_region() or credential_search.missing()


def missing_region() -> str | None:
    """Why there is no region; None when there is one."""
    return None if settings.AWS_REGION else "AWS_REGION isn't set."


def missing_for_bedrock() -> str | None:
    """The same for Bedrock, which also takes an API key (AWS_BEARER_TOKEN_BEDROCK) in place of credentials."""
    return missing_region() or credential_search.missing(or_api_key=True)
