"""Audited changes of users, roles, tokens and sessions, whether they succeed or are refused."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Clock
from modhost.audit import AuditLog, Record, recorded
from modhost.caller import current_caller
from modhost.database import Database
from modhost.identity.access.grants import Grants, Rights
from modhost.identity.accounts import user_rows
from modhost.identity.errors import IdentityError
from modhost.identity.tables import User


class AuditedService:
    """Base of the services that change identity.

    Whatever can refuse a change belongs inside its audit entry, so that refusals are recorded too.
    """

    def __init__(self, database: Database, clock: Clock, grants: Grants, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._grants = grants
        self._audit = audit

    def _entry(self, action: str, subject: str) -> AbstractAsyncContextManager[Record]:
        """Record the block in the audit, however it ends."""
        return recorded(self._audit, action, subject, IdentityError)

    @asynccontextmanager
    async def _transaction(self, entry: Record) -> AsyncIterator[AsyncSession]:
        """Open the transaction that holds both the change and its entry."""
        async with self._database.session() as session:
            yield session
            await entry.done_in(session)

    @asynccontextmanager
    async def _change(
        self, action: str, subject: str, detail: str = ""
    ) -> AsyncIterator[tuple[AsyncSession, Record]]:
        """Open an entry and its transaction, for a change that needs no work before it."""
        async with self._entry(action, subject) as entry:
            entry.detail = detail
            async with self._transaction(entry) as session:
                yield session, entry

    async def _manageable(
        self, session: AsyncSession, entry: Record, user: UUID | str, *, or_own: bool = False
    ) -> User:
        """Return a user whom the caller may manage; with `or_own`, the caller as well.

        Raises `UserNotFound` and `NotYoursToManage`.
        """
        found = await user_rows.get(session, user)
        entry.subject = f"user:{found.name}"
        if not or_own or (await current_caller()).id != f"user:{found.id}":
            held = Rights(roles=tuple(await user_rows.roles_of(session, found)))
            await self._grants.check_reach(session, f"The user {found.name!r}", held)
        return found
