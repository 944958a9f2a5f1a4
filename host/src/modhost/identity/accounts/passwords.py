"""Passwords: argon2id, computed in threads, with the same effort for accounts that do not exist."""

import unicodedata
from typing import Final

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from modhost.identity.access.credentials import new_secret
from modhost.identity.accounts.user_rows import key_of
from modhost.identity.errors import UnusablePassword

SHORTEST: Final = 8
LONGEST: Final = 1024

_GUESSED_FIRST: Final = """
    00000000 11111111 12341234 12345678 123456789 1234567890 1q2w3e4r 1qaz2wsx 87654321 88888888
    abcd1234 abc12345 admin123 administrator asdfghjkl baseball changeme computer football iloveyou
    letmein1 p@ssw0rd passw0rd password password1 password12 password123 princess q1w2e3r4 qwer1234
    qwerty12 qwerty123 qwertyui qwertyuiop starwars sunshine superman trustno1 welcome1 whatever
"""
_COMMON: Final = frozenset(_GUESSED_FIRST.split())

# Each takes 64 MiB while it runs: more at once would let a flood of logins take the memory.
_MAX_CONCURRENT: Final = 2


class Passwords:
    """Hashes and verifies passwords off the event loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._limiter = anyio.CapacityLimiter(_MAX_CONCURRENT)
        self._decoy = ""

    async def hash(self, password: str, name: str = "") -> str:
        """Return the hash to store; `name` is the user's. Raises `UnusablePassword`."""
        check(password, name)
        return await self._hash_in_thread(password)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Tell whether the password is the hashed one; takes as long when there is none."""
        if len(password) > LONGEST:
            return False
        if not self._decoy:
            self._decoy = await self._hash_in_thread(new_secret())
        matched = await anyio.to_thread.run_sync(
            self._verify, password, hashed or self._decoy, limiter=self._limiter
        )
        return matched and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Tell whether a hash was made with less effort than hashes are made with now."""
        return self._hasher.check_needs_rehash(hashed)

    async def _hash_in_thread(self, password: str) -> str:
        text = _comparable(password)
        return await anyio.to_thread.run_sync(self._hasher.hash, text, limiter=self._limiter)

    def _verify(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, _comparable(password))
        except (VerificationError, ValueError):
            return False


def check(password: str, name: str = "") -> None:
    """Raise `UnusablePassword` when a new password is no text, or among the first to be guessed."""
    if len(password) < SHORTEST:
        msg = f"The password has {len(password)} characters; use at least {SHORTEST}."
        raise UnusablePassword(msg)
    if len(password) > LONGEST:
        msg = f"The password is longer than {LONGEST} characters; use a shorter one."
        raise UnusablePassword(msg)
    if not password.isprintable():
        msg = "The password has a character that cannot be typed, such as a tab; leave it out."
        raise UnusablePassword(msg)
    if key_of(password) in {key_of(name), *_COMMON} - {""}:
        msg = (
            "The password is the user's name, or one of those that are guessed first; use another."
        )
        raise UnusablePassword(msg)


def _comparable(password: str) -> str:
    """Return the one spelling of characters that keyboards compose in several ways."""
    return unicodedata.normalize("NFC", password)
