"""What users do with their own account."""

from typing import Final
from uuid import UUID

from modhost.audit import AuditLog, recorded
from modhost.database import Database
from modhost.identity.access.sessions import delete_sessions
from modhost.identity.accounts.passwords import Passwords, check
from modhost.identity.accounts.user_rows import refuse_vouched
from modhost.identity.errors import IdentityError, UserNotFound, WrongPassword
from modhost.identity.login.throttle import Throttle
from modhost.identity.tables import User

_FAILURES: Final = 5


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
        """Replace a password; whoever stole another session is out."""
        async with self._database.reading() as session:
            user = await session.get(User, user_id)
        if user is None:
            msg = f"There is no user with the id {user_id}."
            raise UserNotFound(msg)
        name = f"user:{user.name}"
        async with recorded(self._audit, "account.password", name, IdentityError) as entry:
            check(new, user.name)
            async with self._database.reading() as session:
                await refuse_vouched(session, user)
            await self._verify(user, current)
            hashed = await self._passwords.hash(new)
            async with self._database.session() as session:
                locked = await session.get(User, user_id, with_for_update=True)
                if locked is None or locked.password_hash != user.password_hash:
                    raise WrongPassword
                locked.password_hash = hashed
                session.add(locked)
                ended = await delete_sessions(session, user_id, keep)
                entry.detail = f"{ended} other sessions ended"
                await entry.done_in(session)

    async def _verify(self, user: User, current: str) -> None:
        if user.password_hash is None:
            return
        # Beside the key of logins: whoever has a session must not lock its owner out of them.
        key = f"password of {user.name_key}"
        self._throttle.begin({key: _FAILURES})
        if not await self._passwords.matches(current, user.password_hash):
            raise WrongPassword
        self._throttle.succeeded(forget=key, forgive=key)
