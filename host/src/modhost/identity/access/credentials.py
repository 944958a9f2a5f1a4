"""Secrets that the host hands out: random, shown once, stored as their hash.

They carry 256 random bits, so a fast hash is enough, and a look-up by the hash tells no one
anything by its timing: who cannot choose the hash cannot approach it.
"""

import hashlib
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from modhost.configuration.loopback import is_loopback

TOKEN_PREFIX: Final = "mh_"  # noqa: S105 - what a token looks like, not a token


def new_secret() -> str:
    """Return a new secret of 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a new API token; the prefix lets people and scanners recognise one."""
    return TOKEN_PREFIX + new_secret()


def hash_of(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


COOKIE: Final = "modhost_session"


def session_of(request: Request) -> str | None:
    """Return the secret of the session that the browser sends, if it sends one."""
    return request.cookies.get(COOKIE) or None


def set_session(request: Request, response: Response, secret: str) -> None:
    """Give the browser its session; it forgets it when it is closed."""
    response.set_cookie(
        COOKIE, secret, httponly=True, samesite="lax", secure=must_be_secure(request)
    )


def clear_session(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=must_be_secure(request))


def must_be_secure(request: Request) -> bool:
    """Tell whether a cookie may travel by TLS only."""
    # Browsers keep a Secure cookie from plain HTTP, and plain HTTP is for this machine only.
    return request.url.scheme == "https" or not is_loopback(request.url.hostname or "")
