"""Secrets issued by the host: random, shown once, stored as their hash.

They carry 256 random bits, so a fast hash is enough; and looking one up by its hash leaks nothing
by its timing, since nobody can choose the hash and so approach it.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request

from modhost.configuration import is_loopback

TOKEN_PREFIX: Final = "mh_"  # noqa: S105 - what a token looks like, not a token
SESSION_COOKIE: Final = "modhost_session"

SESSION_IDLE_LIFETIME: Final = timedelta(hours=12)
"""How long a session outlives its last use."""
SESSION_MAX_LIFETIME: Final = timedelta(days=7)
"""How long a session lives, however much it is used."""


def new_secret() -> str:
    """Return a new secret of 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a new API token; people and scanners recognise it by its prefix."""
    return TOKEN_PREFIX + new_secret()


def hash_of(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def session_of(request: Request) -> str | None:
    """Return the secret of the session that the browser sends, if any."""
    return request.cookies.get(SESSION_COOKIE) or None


def cookie_settings(request: Request) -> dict[str, Any]:
    """Return the settings of a cookie that scripts and other sites cannot use."""
    # Browsers keep a Secure cookie from plain HTTP, and plain HTTP is for this machine only.
    secure = request.url.scheme == "https" or not is_loopback(request.url.hostname or "")
    return {"httponly": True, "samesite": "lax", "secure": secure}
