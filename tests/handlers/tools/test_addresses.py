"""Which addresses are of the open internet."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.tools.addresses import is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # the clouds' metadata
        "100.100.100.200",  # Alibaba's
        "192.0.0.192",  # Oracle's
        "168.63.129.16",  # Azure's
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:0:0::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",  # Amazon's, in IPv6
        "ff02::1",
        "fec0::1",
        "2001:db8::1",
        "",
        "localhost",
        "1",
    ],
)
def test_what_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "::ffff:1.1.1.1", "2606:4700:4700::1111"])
def test_what_is(address: str) -> None:
    assert is_public(address)


_PRIVATE = [ipaddress.ip_network(net) for net in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16")]


@given(st.sampled_from(_PRIVATE).flatmap(lambda network: st.ip_addresses(network=network)))
def test_a_private_address_is_refused_however_it_is_spelt(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    embedded = [
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
        f"::{address}",
    ]
    assert not any(map(is_public, [str(address), *embedded]))
