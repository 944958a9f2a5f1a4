"""Browser sessions: opened at login, extended by use, ended by deleting their row."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost.identity.contracts import Visitor
from modhost.identity.credentials import hash_of, new_secret
from modhost.identity.tables import BrowserSession
from modhost.ids import new_id

LIFETIME: Final = timedelta(hours=12)
"""How long a session outlives its last use."""


class Sessions:
    """Implements `SessionService`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self, secret: str) -> None:
        """End the session with that secret."""
        async with self._database.session() as session:
            await delete_session(session, secret)

    async def close_all(self, user_id: UUID) -> int:
        """End all sessions of a user and return how many there were."""
        async with self._database.session() as session:
            return await delete_sessions(session, user_id)


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
