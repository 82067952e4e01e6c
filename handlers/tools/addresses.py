"""Which network addresses belong to the open internet. Pure.

Owns the answer for one address, however it is spelt: what a tool may connect to on behalf of somebody who could not
reach this machine's own network.
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Public by their numbers, yet of somebody's own network, or a way into one.
_REFUSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments, one cloud's metadata among them
            "192.88.99.0/24",  # relays of 6to4
            "168.63.129.16/32",  # Azure's platform, from inside of it
            "::/96",  # IPv4 in IPv6, of old
            "64:ff9b::/96",  # IPv4 behind NAT64
            "64:ff9b:1::/48",
            "2001::/23",  # Teredo and other assignments
            "2002::/16",  # 6to4
            "fec0::/10",  # site-local, of old
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether a literal address is of the open internet; False for what is no address at all.

    Loopback, private, link-local (the clouds' metadata services), shared, multicast and reserved ones aren't, nor is
    an IPv6 address that stands for such an IPv4 address.
    """
    try:
        parsed: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if any(parsed.version == network.version and parsed in network for network in _REFUSED):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved
