"""Which addresses are this machine itself."""

import ipaddress


def is_loopback(address: str) -> bool:
    """Tell whether a host's name or address is this machine itself."""
    if address == "localhost" or address.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
