"""Changes of users, roles and tokens: each is told by the audit, however it ends."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.audit import AuditLog, Record, recorded
from modhost.database import Database
from modhost.identity.errors import IdentityError


class Changing:
    """Opens what a change runs in: the entry of the audit, and in it the transaction.

    All that can refuse a change belongs within the entry, so that refusals are told as well.
    """

    def __init__(self, database: Database, audit: AuditLog) -> None:
        self._database = database
        self._audit = audit

    def entry(self, action: str, subject: str) -> AbstractAsyncContextManager[Record]:
        """Have the audit tell of the block."""
        return recorded(self._audit, action, subject, IdentityError)

    @asynccontextmanager
    async def transaction(self, entry: Record) -> AsyncIterator[AsyncSession]:
        """Open the transaction that the change and its entry are in."""
        async with self._database.session() as session:
            yield session
            await entry.done_in(session)

    @asynccontextmanager
    async def change(
        self, action: str, subject: str, detail: str = ""
    ) -> AsyncIterator[AsyncSession]:
        """Open both, for a change that is refused by nothing but what it reads."""
        async with self.entry(action, subject) as entry:
            entry.detail = detail
            async with self.transaction(entry) as session:
                yield session
