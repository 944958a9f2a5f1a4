"""Users of external providers: found by issuer and subject, never by their name."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Clock, Principal
from modhost.audit import AuditLog
from modhost.database import Database
from modhost.identity.access.grants import Grants
from modhost.identity.accounts import tokens, user_rows
from modhost.identity.accounts.sessions import open_session
from modhost.identity.contracts import Visitor, VouchedIdentity
from modhost.identity.errors import UnusableName, UserDisabled
from modhost.identity.login.login import record_failed_login
from modhost.identity.tables import User, UserIdentity, UserRole

_MAX_NAME_LENGTH: Final = 60


class ExternalUsers:
    """Implements `VouchedLogins`."""

    def __init__(self, database: Database, clock: Clock, grants: Grants, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._grants = grants
        self._audit = audit

    async def log_in(self, identity: VouchedIdentity, visitor: Visitor) -> str:
        """Log in, and take over the roles that the provider grants."""
        try:
            return await self._log_in(identity, visitor)
        except IntegrityError:
            # Two first logins at once: the other one has added the user by now.
            return await self._log_in(identity, visitor)
        except UserDisabled:
            await self.refused(identity.provider, f"{identity.name} is disabled", visitor)
            raise

    async def refused(self, provider: str, reason: str, visitor: Visitor) -> None:
        """Record a failed login."""
        detail = f"{provider}: {reason}"
        await record_failed_login(self._audit, "an unknown user", visitor, detail=detail)

    async def principal(self, identity: VouchedIdentity) -> Principal | None:
        """Return the identity with the rights of its roles, those assigned here included."""
        async with self._database.reading() as session:
            user = await _find(session, identity)
            if user is not None and user.disabled_at is not None:
                return None
            held = await user_rows.roles_of(session, user) if user else ()
            kept = (role for role in held if role not in identity.managed_roles)
            roles = frozenset((*identity.roles, *kept))
            granted = await self._grants.of_roles(session)
        key = f"user:{user.id}" if user else _id_without_user(identity)
        grants = frozenset().union(*(granted.get(role, ()) for role in roles))
        return Principal(key, user.name if user else _display_name(identity), roles, grants)

    async def _log_in(self, identity: VouchedIdentity, visitor: Visitor) -> str:
        now, how = self._clock.now(), f"by {identity.provider}"
        async with self._database.session() as session:
            user = await _find(session, identity, lock=True) or await _add(session, identity, now)
            if user.disabled_at is not None:
                msg = f"The user {user.name} is disabled here; ask an administrator of this host."
                raise UserDisabled(msg)
            await _set_roles(session, user, identity)
            # What they made by the provider's bearer token before, is revoked with the user, too.
            await tokens.change_maker(session, _id_without_user(identity), f"user:{user.id}")
            return await open_session(session, self._audit, user, visitor, how, now)


async def _find(
    session: AsyncSession, identity: VouchedIdentity, *, lock: bool = False
) -> User | None:
    known = await session.get(UserIdentity, (identity.issuer, identity.subject))
    return await session.get(User, known.user_id, with_for_update=lock) if known else None


async def _add(session: AsyncSession, identity: VouchedIdentity, now: datetime) -> User:
    for name in _candidate_names(identity):
        # The one-time link logs in as the built-in administrator, whoever has its name.
        if user_rows.key_of(name) == user_rows.BUILT_IN:
            continue
        try:
            user = user_rows.new_user(name, now)
        except UnusableName:
            continue
        if await user_rows.insert(session, user, ()):
            issuer, subject = identity.issuer, identity.subject
            row = UserIdentity(issuer=issuer, subject=subject, user_id=user.id, created_at=now)
            session.add(row)
            await session.flush()
            return user
    raise UnusableName(f"No name is free for the user {identity.subject!r} of {identity.issuer}.")


def _id_without_user(identity: VouchedIdentity) -> str:
    """Return the id of the principal of somebody who has not logged in."""
    return f"{identity.provider}:{identity.subject}"


def _display_name(identity: VouchedIdentity) -> str:
    """Return the provider's name of somebody who has not logged in, if it is usable."""
    try:
        return user_rows.usable_name(identity.name[:_MAX_NAME_LENGTH], "user")
    except UnusableName:
        return identity.subject


def _candidate_names(identity: VouchedIdentity) -> Iterator[str]:
    """Yield names for a new user: the provider's, then ones that differ from a taken one."""
    name = identity.name[:_MAX_NAME_LENGTH]
    yield name
    yield f"{name} ({(urlsplit(identity.issuer).hostname or '')[:30]})"
    for number in range(2, 1000):
        yield f"{name} {number}"
        yield f"user {number}"


async def _set_roles(session: AsyncSession, user: User, identity: VouchedIdentity) -> None:
    held = set(await user_rows.roles_of(session, user))
    lost = (held & identity.managed_roles) - identity.roles
    if lost:
        mine = col(UserRole.user_id) == user.id
        await session.exec(delete(UserRole).where(mine, col(UserRole.role).in_(lost)))
    session.add_all(UserRole(user_id=user.id, role=role) for role in identity.roles - held)
