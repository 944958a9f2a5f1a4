"""The address by which browsers reach the host: `[host] public_url`."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_EXAMPLE: Final = "https://jobs.example.org/ or https://example.org:8443/tools/modhost/"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.?", re.ASCII)
_PATH: Final = re.compile(r"(/[\w.~-]+)*/?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """A public address, in the spelling of browsers.

    Attributes:
        scheme: `https`, or `http` for this machine alone.
        netloc: the host name, with a port that is not the scheme's own, as in the `Host` header.
        hostname: the host name alone.
        path: the path without its last slash; empty for the root.

    """

    scheme: str
    netloc: str
    hostname: str
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> "PublicUrl":
        """Parse an address. Raises `ValueError` with what to write."""
        try:
            parts = urlsplit(text.strip())
            port, hostname = parts.port, _ascii(parts.hostname or "")
        except ValueError:
            raise ValueError(_not_an_address(text)) from None
        if parts.scheme not in _DEFAULT_PORTS or not (":" in hostname or _NAME.fullmatch(hostname)):
            raise ValueError(_not_an_address(text))
        if parts.username is not None or parts.query or parts.fragment:
            msg = "it has a user name, a query or a fragment: the address of a host has none"
            raise ValueError(msg)
        if not _PATH.fullmatch(parts.path) or {".", ".."} & set(parts.path.split("/")):
            msg = f"the path {parts.path!r} is not one of letters, digits and -._~ between slashes"
            raise ValueError(msg)
        if parts.scheme == "http" and not is_loopback(hostname):
            msg = f"{text!r} is plain HTTP, over which browsers keep no log-in; write https://, "
            msg += "and let a proxy end TLS. http:// is for this machine alone"
            raise ValueError(msg)
        name = f"[{hostname}]" if ":" in hostname else hostname
        is_default = port in (None, _DEFAULT_PORTS[parts.scheme])
        netloc = name if is_default else f"{name}:{port}"
        return cls(parts.scheme, netloc, hostname, parts.path.rstrip("/"))

    @property
    def origin(self) -> str:
        """The scheme and the host, as in the `Origin` header."""
        return f"{self.scheme}://{self.netloc}"

    def below_base(self, location: str) -> str:
        """Return where a path of the host, or an address on it, leads from outside."""
        if location.startswith("/") and not location.startswith("//"):
            return f"{self.path}{location}"
        rest = location.removeprefix(self.origin)
        is_own = rest != location and rest.startswith(("/", "?", "#"))
        if not is_own or f"{urlsplit(rest).path}/".startswith(f"{self.path}/"):
            return location
        return f"{self.origin}{self.path}{rest}"

    def __str__(self) -> str:
        return f"{self.origin}{self.path}/"


def is_loopback(address: str) -> bool:
    """Return whether a host name or address is this machine itself."""
    if address == "localhost" or address.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def _ascii(hostname: str) -> str:
    """Return a host name as browsers send it: `bücher.example` is `xn--bcher-kva.example`."""
    return hostname if hostname.isascii() else hostname.encode("idna").decode()


def _not_an_address(text: str) -> str:
    return f"{text!r} is not an address; write one like {_EXAMPLE}"
