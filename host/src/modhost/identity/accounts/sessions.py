"""Browser sessions: opened at login, extended by use, ended by deleting their row."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import new_id
from modhost.audit import AuditLog
from modhost.caller import Caller
from modhost.identity.access import credentials
from modhost.identity.accounts.audited import AuditedService
from modhost.identity.contracts import SessionInfo, Visitor
from modhost.identity.tables import BrowserSession, User


class Sessions(AuditedService):
    """Implements `SessionService`, whose methods say what each does."""

    async def list(self, user_id: UUID, secret: str | None = None) -> Sequence[SessionInfo]:
        """Return a user's sessions, the newest first."""
        now = self._clock.now()
        current = None if secret is None else credentials.hash_of(secret)
        statement = select(BrowserSession).where(
            BrowserSession.user_id == user_id,
            col(BrowserSession.expires_at) > now,
            col(BrowserSession.created_at) > now - credentials.SESSION_MAX_LIFETIME,
        )
        async with self._database.reading() as session:
            found = await session.exec(statement.order_by(col(BrowserSession.id).desc()))
            return [_info(each, current) for each in found]

    async def close(self, secret: str) -> None:
        """End the session with that secret."""
        async with self._database.session() as session:
            await _delete(session, secret)

    async def end(self, user: UUID | str, session_id: UUID) -> None:
        """End one session of a user."""
        async with self._change("sessions.end", f"user:{user}") as (session, entry):
            found = await self._manageable(session, entry, user, or_own=True)
            same = (col(BrowserSession.id) == session_id, col(BrowserSession.user_id) == found.id)
            ended = await session.exec(delete(BrowserSession).where(*same))
            entry.detail = f"{ended.rowcount} sessions ended"

    async def end_all(self, user: UUID | str, keep: str | None = None) -> int:
        """End a user's sessions and return their number."""
        async with self._change("sessions.end_all", f"user:{user}") as (session, entry):
            found = await self._manageable(session, entry, user, or_own=True)
            ended = await delete_all(session, found.id, keep)
            entry.detail = f"{ended} sessions ended"
        return ended


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
    session: AsyncSession, audit: AuditLog, user: User, visitor: Visitor, how: str, now: datetime
) -> str:
    """Open a session for a user who has proved who they are, and record their login.

    Returns the secret of the new session. The session that the visitor brings is ended: a secret
    planted in the browser before the login is worth nothing after it.
    """
    caller = Caller("user", f"user:{user.id}", user.name, visitor.address)
    await audit.record("login", f"user:{user.name}", detail=how, session=session, caller=caller)
    if visitor.session is not None:
        await _delete(session, visitor.session)
    await session.exec(delete(BrowserSession).where(col(BrowserSession.expires_at) <= now))
    secret = credentials.new_secret()
    opened = BrowserSession(
        id=new_id(),
        secret_hash=credentials.hash_of(secret),
        user_id=user.id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + credentials.SESSION_IDLE_LIFETIME,
        address=visitor.address[:100],
        agent=visitor.agent[:300],
    )
    session.add(opened)
    return secret


async def delete_all(session: AsyncSession, user_id: UUID, keep: str | None = None) -> int:
    """End a user's sessions except the one with the secret `keep`; return their number."""
    ending = delete(BrowserSession).where(col(BrowserSession.user_id) == user_id)
    if keep is not None:
        ending = ending.where(col(BrowserSession.secret_hash) != credentials.hash_of(keep))
    return (await session.exec(ending)).rowcount


async def _delete(session: AsyncSession, secret: str) -> None:
    same = col(BrowserSession.secret_hash) == credentials.hash_of(secret)
    await session.exec(delete(BrowserSession).where(same))
