"""Secrets issued by the host: random, shown once, stored as their hash.

They carry 256 random bits, so a fast hash is enough; and looking one up by its hash leaks nothing
by its timing, since nobody can choose the hash and so approach it.
"""

import hashlib
import re
import secrets
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request

from modhost.configuration import is_loopback
from modhost.web import base_path

TOKEN_PREFIX: Final = "mh_"  # noqa: S105 - what a token looks like, not a token
_SESSION_COOKIE: Final = "modhost_session"

SESSION_IDLE_LIFETIME: Final = timedelta(hours=12)
"""How long a session outlives its last use."""
SESSION_MAX_LIFETIME: Final = timedelta(days=7)
"""How long a session lives, however much it is used."""

_PORT: Final = re.compile(r":(\d+)$", re.ASCII)


def new_secret() -> str:
    """Return a new secret of 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a new API token; people and scanners recognise it by its prefix."""
    return TOKEN_PREFIX + new_secret()


def hash_of(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def cookie_name(request: Request, name: str) -> str:
    """Return the name of a cookie at the address of the request.

    Browsers send cookies to every port of a host name: instances there have names of their own.
    """
    found = _PORT.search(request.url.netloc)
    port = found[1] if found else ""
    if port == {"http": "80", "https": "443"}.get(request.url.scheme):
        port = ""
    return "_".join(filter(None, (name, port, *base_path(request).split("/"))))


def session_cookie(request: Request) -> str:
    """Return the name of the cookie that holds the secret of a session."""
    return cookie_name(request, _SESSION_COOKIE)


def session_of(request: Request) -> str | None:
    """Return the secret of the session that the browser sends, if any."""
    # Sessions that began under the plain name, which all cookies once had, continue.
    names = (session_cookie(request), _SESSION_COOKIE)
    return next((found for name in names if (found := request.cookies.get(name))), None)


def keeps_cookies(request: Request) -> bool:
    """Return whether a browser keeps the cookies of an answer: not over plain HTTP."""
    return request.url.scheme == "https" or is_loopback(request.url.hostname or "")


def cookie_settings(request: Request) -> dict[str, Any]:
    """Return the settings of a cookie that scripts and other sites cannot use."""
    # Browsers keep a Secure cookie from plain HTTP, and plain HTTP is for this machine only.
    is_plain = request.url.scheme == "http" and is_loopback(request.url.hostname or "")
    return {"httponly": True, "samesite": "lax", "secure": not is_plain}
