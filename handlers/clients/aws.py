"""boto3's clients for AWS services."""

import threading
from typing import Any

from django.conf import settings

from handlers.clients.credentials import credential_search
from handlers.clients.lazy import LazySyncClient
from handlers.errors import ClientUnavailable

CONNECT_TIMEOUT = 5.0  # seconds
ATTEMPTS = 3

# Making clients reads the SDK's data files through one cache, which isn't safe for several threads.
_making = threading.Lock()


class AwsClient(LazySyncClient):
    """One AWS service's client. Keys and endpoints (AWS_ENDPOINT_URL_…) are read by boto3 itself."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def _make(self) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=self.read_timeout,
            # Connections over the limit aren't waited for but thrown away after use: a TLS handshake each.
            max_pool_connections=self.threads,
            tcp_keepalive=True,
        )
        with _making:
            return boto3.Session(region_name=settings.AWS_REGION).client(self._service, config=config)

    @property
    def read_timeout(self) -> float:
        """Seconds without a byte after which a request has failed: no run may be silent for longer."""
        return max(settings.WORKBENCH_FIRST_EVENT_TIMEOUT, settings.WORKBENCH_IDLE_TIMEOUT)

    def check_health(self) -> None:
        """Credentials are there, and the service's endpoint answers something. Asks for no permission."""
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError
        from botocore.httpsession import URLLib3Session
        from botocore.utils import get_environ_proxies

        url = self.get_now().meta.endpoint_url
        session = URLLib3Session(proxies=get_environ_proxies(url), timeout=CONNECT_TIMEOUT)
        try:
            session.send(AWSRequest("GET", url).prepare())
        except BotoCoreError as error:
            raise ClientUnavailable(self._service, f"{url} doesn't answer ({type(error).__name__}).") from error
        finally:
            session.close()

    def close(self) -> None:
        super().close()
        credential_search.forget()
