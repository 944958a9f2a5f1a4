"""Passwords: argon2id, computed in threads, with the same effort for accounts that do not exist."""

import unicodedata
from typing import Final
from uuid import UUID

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from modhost.audit import AuditLog, recorded
from modhost.calls.own_loop import OwnLoop
from modhost.database import Database
from modhost.identity.access.credentials import new_secret
from modhost.identity.access.throttle import Throttle
from modhost.identity.accounts import sessions, user_rows
from modhost.identity.errors import IdentityError, UnusablePassword, UserNotFound, WrongPassword
from modhost.identity.tables import User

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 1024

_GUESSED_FIRST: Final = """
    00000000 11111111 12341234 12345678 123456789 1234567890 1q2w3e4r 1qaz2wsx 87654321 88888888
    abcd1234 abc12345 admin123 administrator asdfghjkl baseball changeme computer football iloveyou
    letmein1 p@ssw0rd passw0rd password password1 password12 password123 princess q1w2e3r4 qwer1234
    qwerty12 qwerty123 qwertyui qwertyuiop starwars sunshine superman trustno1 welcome1 whatever
"""
_COMMON: Final = frozenset(_GUESSED_FIRST.split())

# Each takes 64 MiB while it runs: more at once would let a flood of logins take the memory.
_MAX_CONCURRENT: Final = 2
_MAX_FAILURES: Final = 5


class Passwords:
    """Hashes and verifies passwords off the event loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._limiter = anyio.CapacityLimiter(_MAX_CONCURRENT)
        self._loop = OwnLoop("The hashing of passwords")
        self._decoy = ""

    async def hash(self, password: str) -> str:
        """Return the hash to store; whether the password is usable, `check` says."""
        self._loop.check()
        text = _comparable(password)
        return await anyio.to_thread.run_sync(self._hasher.hash, text, limiter=self._limiter)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Return whether the password is the hashed one; takes as long without a hash."""
        if len(password) > MAX_LENGTH:
            return False
        self._loop.check()
        if not self._decoy:
            self._decoy = await self.hash(new_secret())
        matched = await anyio.to_thread.run_sync(
            self._verify, password, hashed or self._decoy, limiter=self._limiter
        )
        return matched and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Return whether a hash was made with less effort than new hashes are."""
        return self._hasher.check_needs_rehash(hashed)

    def _verify(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, _comparable(password))
        except (VerificationError, ValueError):
            return False


class Account:
    """Implements `AccountService`."""

    def __init__(
        self, database: Database, passwords: Passwords, throttle: Throttle, audit: AuditLog
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._throttle = throttle
        self._audit = audit

    async def change_password(self, user_id: UUID, current: str, new: str, keep: str) -> None:
        """Replace a password and end all other sessions, stolen ones among them."""
        async with self._database.reading() as session:
            user = await session.get(User, user_id)
        if user is None:
            raise UserNotFound(f"There is no user with the id {user_id}.")
        name = f"user:{user.name}"
        async with recorded(self._audit, "account.password", name, IdentityError) as entry:
            check(new, user.name)
            async with self._database.reading() as session:
                await user_rows.refuse_external(session, user)
            await self._verify(user, current)
            hashed = await self._passwords.hash(new)
            async with self._database.session() as session:
                locked = await session.get(User, user_id, with_for_update=True)
                if locked is None or locked.password_hash != user.password_hash:
                    raise WrongPassword
                locked.password_hash = hashed
                ended = await sessions.delete_all(session, user_id, keep)
                entry.detail = f"{ended} other sessions ended"
                await entry.done_in(session)

    async def _verify(self, user: User, current: str) -> None:
        if user.password_hash is None:
            return
        # Apart from the key of logins: whoever has a session must not lock its owner out of them.
        key = f"password of {user.name_key}"
        self._throttle.begin({key: _MAX_FAILURES})
        if not await self._passwords.matches(current, user.password_hash):
            raise WrongPassword
        self._throttle.succeeded(forget=key, forgive=key)


def check(password: str, name: str = "") -> None:
    """Raise `UnusablePassword` for a new password that is unprintable, or guessed first."""
    if len(password) < MIN_LENGTH:
        msg = f"The password has {len(password)} characters; use at least {MIN_LENGTH}."
        raise UnusablePassword(msg)
    if len(password) > MAX_LENGTH:
        msg = f"The password is longer than {MAX_LENGTH} characters; use a shorter one."
        raise UnusablePassword(msg)
    if not password.isprintable():
        msg = "The password has a character that cannot be typed, such as a tab; leave it out."
        raise UnusablePassword(msg)
    if user_rows.key_of(password) in {user_rows.key_of(name), *_COMMON} - {""}:
        msg = (
            "The password is the user's name, or one of those that are guessed first; use another."
        )
        raise UnusablePassword(msg)


def _comparable(password: str) -> str:
    """Return the canonical spelling of characters that keyboards compose in several ways."""
    return unicodedata.normalize("NFC", password)
