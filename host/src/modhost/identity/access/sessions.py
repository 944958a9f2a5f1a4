"""Browser sessions: opened at login, extended by use, ended by deleting their row."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.audit import Record
from modhost.caller import current_caller
from modhost.clock import Clock
from modhost.database import Database
from modhost.identity.access.credentials import hash_of, new_secret
from modhost.identity.access.grants import Grants, Rights
from modhost.identity.accounts.changes import Changing
from modhost.identity.accounts.user_rows import existing_user, roles_of
from modhost.identity.contracts import SessionInfo, Visitor
from modhost.identity.tables import BrowserSession, User
from modhost.ids import new_id

LIFETIME: Final = timedelta(hours=12)
"""How long a session outlives its last use."""
LONGEST: Final = timedelta(days=7)
"""How long a session lives however much it is used."""


class Sessions:
    """Implements `SessionService`."""

    def __init__(
        self, database: Database, clock: Clock, grants: Grants, changing: Changing
    ) -> None:
        self._database = database
        self._clock = clock
        self._grants = grants
        self._changing = changing

    async def list(self, user_id: UUID, secret: str | None = None) -> Sequence[SessionInfo]:
        """Return a user's sessions, the newest first."""
        now = self._clock.now()
        current = None if secret is None else hash_of(secret)
        statement = select(BrowserSession).where(
            BrowserSession.user_id == user_id,
            col(BrowserSession.expires_at) > now,
            col(BrowserSession.created_at) > now - LONGEST,
        )
        async with self._database.reading() as session:
            found = await session.exec(statement.order_by(col(BrowserSession.id).desc()))
            return [_info(each, current) for each in found]

    async def close(self, secret: str) -> None:
        """End the session with that secret."""
        async with self._database.session() as session:
            await delete_session(session, secret)

    async def end(self, user: UUID | str, session_id: UUID) -> None:
        """End one session of a user."""
        async with self._managing("sessions.end", user) as (session, found, entry):
            same = (col(BrowserSession.id) == session_id, col(BrowserSession.user_id) == found.id)
            ended = await session.exec(delete(BrowserSession).where(*same))
            entry.detail = f"{ended.rowcount} sessions ended"

    async def end_all(self, user: UUID | str, keep: str | None = None) -> int:
        """End a user's sessions and return how many it were."""
        async with self._managing("sessions.end_all", user) as (session, found, entry):
            ended = await delete_sessions(session, found.id, keep)
            entry.detail = f"{ended} sessions ended"
        return ended

    @asynccontextmanager
    async def _managing(
        self, action: str, user: UUID | str
    ) -> AsyncIterator[tuple[AsyncSession, User, Record]]:
        """Open a transaction on the sessions of oneself, or of somebody whom one may manage."""
        async with (
            self._changing.entry(action, f"user:{user}") as entry,
            self._changing.transaction(entry) as session,
        ):
            found = await existing_user(session, user)
            entry.subject = f"user:{found.name}"
            if (await current_caller()).id != f"user:{found.id}":
                held = Rights((), tuple(await roles_of(session, found)))
                await self._grants.check_reach(session, f"The user {found.name!r}", held)
            yield session, found, entry


def _info(session: BrowserSession, current: str | None) -> SessionInfo:
    return SessionInfo(
        id=session.id,
        address=session.address or "",
        agent=session.agent or "",
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        is_current=session.secret_hash == current,
    )


async def open_session(
    session: AsyncSession, user_id: UUID, visitor: Visitor, now: datetime
) -> str:
    """Store a new session and return its secret; the one that the visitor brings is ended.

    A secret that was planted in the browser before the login is thus worth nothing after it.
    """
    secret = new_secret()
    if visitor.session is not None:
        await delete_session(session, visitor.session)
    await session.exec(delete(BrowserSession).where(col(BrowserSession.expires_at) <= now))
    opened = BrowserSession(
        id=new_id(),
        secret_hash=hash_of(secret),
        user_id=user_id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + LIFETIME,
        address=visitor.address[:100],
        agent=visitor.agent[:300],
    )
    session.add(opened)
    return secret


async def delete_session(session: AsyncSession, secret: str) -> None:
    """End the session with that secret, if there is one."""
    same = col(BrowserSession.secret_hash) == hash_of(secret)
    await session.exec(delete(BrowserSession).where(same))


async def delete_sessions(session: AsyncSession, user_id: UUID, keep: str | None = None) -> int:
    """End all sessions of a user, but the one with the secret `keep`; return how many it were."""
    ending = delete(BrowserSession).where(col(BrowserSession.user_id) == user_id)
    if keep is not None:
        ending = ending.where(col(BrowserSession.secret_hash) != hash_of(keep))
    return (await session.exec(ending)).rowcount
