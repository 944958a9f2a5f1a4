"""Authentication of requests: by an API token, a browser's session, or a module's hook."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlmodel import col, select
from starlette.requests import Request

from modhost import Clock, Principal, Scope
from modhost.database import Database
from modhost.identity.access import credentials
from modhost.identity.access.grants import Grants
from modhost.identity.access.usage import Usage
from modhost.identity.contracts import ForeignIdentity
from modhost.identity.tables import BrowserSession, Role, Token, TokenRole, User, UserRole

_log = logging.getLogger(__name__)

_TOKEN: Final = (
    select(Token, TokenRole.role, Role.permissions)
    .join(TokenRole, col(TokenRole.token_id) == col(Token.id), isouter=True)
    .join(Role, col(Role.name) == col(TokenRole.role), isouter=True)
)
_SESSION: Final = (
    select(BrowserSession, User, UserRole.role, Role.permissions)
    .join(User, col(User.id) == col(BrowserSession.user_id))
    .join(UserRole, col(UserRole.user_id) == col(User.id), isouter=True)
    .join(Role, col(Role.name) == col(UserRole.role), isouter=True)
)


class Authenticator:
    """Finds the principal of a request, with one indexed read."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        grants: Grants,
        usage: Usage,
        others: tuple[ForeignIdentity, ...] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._grants = grants
        self._usage = usage
        self._others = others

    async def authenticate(self, request: Request, scope: Scope) -> Principal | None:
        """Return the principal who is asking, or None without valid credentials.

        An `Authorization` header decides alone: a request that has one is never let in by its
        cookie. Credentials that the host does not know are offered to the modules, in their order.
        """
        authorization = request.headers.get("authorization")
        if authorization is None:
            session = credentials.session_of(request)
            found = await self._by_session(session) if session else None
        else:
            kind, _, shown = authorization.strip().partition(" ")
            secret = shown.strip()
            if kind.lower() == "bearer" and secret.startswith(credentials.TOKEN_PREFIX):
                return await self._by_token(secret)
            found = None
        return found or await self._by_others(request, scope)

    async def _by_token(self, secret: str) -> Principal | None:
        async with self._database.reading() as session:
            statement = _TOKEN.where(Token.secret_hash == credentials.hash_of(secret))
            rows = (await session.exec(statement)).all()
            if not rows:
                return None
            token = rows[0][0]
            if token.revoked_at is not None or _has_expired(token.expires_at, self._clock.now()):
                return None
            self._usage.note_token(token.id, token.last_used_at)
            roles = [(role, more) for _, role, more in rows]
            return self._principal(f"token:{token.id}", token.name, roles, token.permissions)

    async def _by_session(self, secret: str) -> Principal | None:
        async with self._database.reading() as session:
            statement = _SESSION.where(BrowserSession.secret_hash == credentials.hash_of(secret))
            rows = (await session.exec(statement)).all()
            if not rows:
                return None
            opened, user = rows[0][:2]
            now = self._clock.now()
            ends = min(opened.expires_at, opened.created_at + credentials.SESSION_MAX_LIFETIME)
            if user.disabled_at is not None or _has_expired(ends, now):
                return None
            self._usage.note_session(opened.id, opened.last_seen_at)
            roles = [(role, more) for _, _, role, more in rows]
            return self._principal(f"user:{user.id}", user.name, roles, ())

    def _principal(
        self, key: str, name: str, held: list[tuple[Any, Any]], permissions: Iterable[str]
    ) -> Principal:
        roles = frozenset(role for role, _ in held if role is not None)
        granted = self._grants.of(roles, permissions, *(more or () for _, more in held))
        return Principal(key, name, roles, granted)

    async def _by_others(self, request: Request, scope: Scope) -> Principal | None:
        for other in self._others:
            try:
                found = await other.authenticate(request, scope)
            except Exception:  # noqa: BLE001 - logged, and nobody is let in
                # Whoever it would have recognised stays anonymous; nobody else is affected.
                _log.exception("The authenticate hook of the module %s failed.", other.module)
                continue
            if found is not None:
                return found
        return None


def _has_expired(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now
