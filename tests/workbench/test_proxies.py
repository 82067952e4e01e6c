"""A client's address behind a proxy: what the proxy says, and nothing that the client says of itself."""

import pytest

from workbench.proxies import client_behind


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ([b"192.0.2.7"], "192.0.2.7"),
        ([b"10.9.9.9, 192.0.2.7"], "192.0.2.7"),
        ([b"10.9.9.9", b"192.0.2.7"], "192.0.2.7"),  # a proxy that adds a line of its own
        ([b"10.9.9.9,,\xff, 2001:db8::1 "], "2001:db8::1"),
        ([b""], None),
        ([], None),
    ],
)
def test_it_is_the_last_one(values, address):
    headers = [(b"host", b"chat.example.org"), *((b"X-Forwarded-For", value) for value in values)]
    assert client_behind(headers) == address
