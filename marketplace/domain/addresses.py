"""Which addresses on the network a stranger may make us call."""

import ipaddress

# Ranges that `is_global` lets through although they lead, or may lead, back into a network.
_TRANSLATED = (
    ipaddress.ip_network("64:ff9b::/96"),  # NAT64: the last 32 bits are an IPv4 address
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("2002::/16"),  # 6to4
    ipaddress.ip_network("2001::/32"),  # Teredo
)


def is_public_address(text: str) -> bool:
    """Tell whether an IP address is one of the open internet.

    Refuses private, loopback, link-local, carrier (CGNAT), multicast, reserved and unspecified
    ones, and IPv6 forms that carry an IPv4 address.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None or any(address in net for net in _TRANSLATED):
            return False
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
