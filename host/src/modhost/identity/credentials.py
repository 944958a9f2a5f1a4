"""Secrets that the host hands out: random, shown once, stored as their hash.

They carry 256 random bits, so a fast hash is enough, and a look-up by the hash tells no one
anything by its timing: who cannot choose the hash cannot approach it.
"""

import hashlib
import secrets
from typing import Final

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
