"""Users whom somebody else vouches for: found by issuer and subject, never by their name."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.audit import AuditLog, Outcome
from modhost.caller import Caller, anonymous
from modhost.clock import Clock
from modhost.database import Database
from modhost.identity.access.grants import Grants
from modhost.identity.access.sessions import open_session
from modhost.identity.accounts.user_rows import (
    BUILT_IN,
    insert_user,
    key_of,
    new_user,
    roles_of,
    usable,
)
from modhost.identity.contracts import Visitor
from modhost.identity.errors import UnusableName, UserDisabled
from modhost.identity.external.external_identity import VouchedIdentity
from modhost.identity.tables import User, UserIdentity, UserRole
from modhost.permissions import Principal

_LONGEST_NAME = 60


class VouchedUsers:
    """Implements `VouchedLogins`."""

    def __init__(self, database: Database, clock: Clock, grants: Grants, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._grants = grants
        self._audit = audit

    async def log_in(self, identity: VouchedIdentity, visitor: Visitor) -> str:
        """Log in, and take over what the provider says about roles."""
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
        nobody = anonymous(visitor.address)
        await self._audit.record(
            "login",
            "an unknown user",
            outcome=Outcome.FAILED,
            detail=f"{provider}: {reason}",
            caller=nobody,
        )

    async def principal(self, identity: VouchedIdentity) -> Principal | None:
        """Return the identity with the rights of its roles, those given here included."""
        async with self._database.reading() as session:
            user = await _find(session, identity)
            if user is not None and user.disabled_at is not None:
                return None
            held = await roles_of(session, user) if user else ()
            kept = (role for role in held if role not in identity.managed_roles)
            roles = frozenset((*identity.roles, *kept))
            granted = await self._grants.of_roles(session)
        key = f"user:{user.id}" if user else f"{identity.provider}:{identity.subject}"
        grants = frozenset().union(*(granted.get(role, ()) for role in roles))
        return Principal(key, user.name if user else _shown_name(identity), roles, grants)

    async def _log_in(self, identity: VouchedIdentity, visitor: Visitor) -> str:
        now = self._clock.now()
        async with self._database.session() as session:
            user = await _find(session, identity, lock=True)
            if user is None:
                user = await _add(session, identity, now)
            if user.disabled_at is not None:
                msg = f"The user {user.name} is disabled here; ask an administrator of this host."
                raise UserDisabled(msg)
            await _set_roles(session, user, identity)
            caller = Caller("user", f"user:{user.id}", user.name, visitor.address)
            how = f"by {identity.provider}"
            subject = f"user:{user.name}"
            await self._audit.record("login", subject, detail=how, session=session, caller=caller)
            return await open_session(session, user.id, visitor, now)


async def _find(
    session: AsyncSession, identity: VouchedIdentity, *, lock: bool = False
) -> User | None:
    same = (
        col(UserIdentity.issuer) == identity.issuer,
        col(UserIdentity.subject) == identity.subject,
    )
    known = (await session.exec(select(UserIdentity.user_id).where(*same))).first()
    return None if known is None else await session.get(User, known, with_for_update=lock)


async def _add(session: AsyncSession, identity: VouchedIdentity, now: datetime) -> User:
    for name in _names(identity):
        # The one-time link logs in as the built-in administrator, whoever has its name.
        if key_of(name) == key_of(BUILT_IN):
            continue
        try:
            user = new_user(name, now)
        except UnusableName:
            continue
        if await insert_user(session, user, ()):
            session.add(
                UserIdentity(
                    issuer=identity.issuer,
                    subject=identity.subject,
                    user_id=user.id,
                    created_at=now,
                )
            )
            await session.flush()
            return user
    msg = f"No name is free for the user {identity.subject!r} of {identity.issuer}."
    raise UnusableName(msg)


def _shown_name(identity: VouchedIdentity) -> str:
    """Return what to call somebody who has not logged in: the provider's name, if it is one."""
    try:
        return usable(identity.name[:_LONGEST_NAME], "user")
    except UnusableName:
        return identity.subject


def _names(identity: VouchedIdentity) -> Iterator[str]:
    """What to call a new user: as the provider does, or told apart from one who has the name."""
    name = identity.name[:_LONGEST_NAME]
    yield name
    yield f"{name} ({(urlsplit(identity.issuer).hostname or '')[:30]})"
    for number in range(2, 1000):
        yield f"{name} {number}"
        yield f"user {number}"


async def _set_roles(session: AsyncSession, user: User, identity: VouchedIdentity) -> None:
    held = set(await roles_of(session, user))
    lost = (held & identity.managed_roles) - identity.roles
    if lost:
        mine = col(UserRole.user_id) == user.id
        await session.exec(delete(UserRole).where(mine, col(UserRole.role).in_(lost)))
    session.add_all(UserRole(user_id=user.id, role=role) for role in identity.roles - held)
