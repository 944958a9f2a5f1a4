"""The cookie that carries a browser's session."""

import ipaddress
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

COOKIE: Final = "modhost_session"


def session_of(request: Request) -> str | None:
    """Return the secret of the session that the browser sends, if it sends one."""
    return request.cookies.get(COOKIE) or None


def set_session(request: Request, response: Response, secret: str) -> None:
    """Give the browser its session; it forgets it when it is closed."""
    response.set_cookie(
        COOKIE, secret, httponly=True, samesite="lax", secure=_must_be_secure(request)
    )


def clear_session(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=_must_be_secure(request))


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


def _must_be_secure(request: Request) -> bool:
    # Browsers keep a Secure cookie from plain HTTP, and plain HTTP is for this machine only.
    return request.url.scheme == "https" or not is_loopback(request.url.hostname or "")
