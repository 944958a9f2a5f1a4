"""Logins: by a password, or by a link that works once."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import and_, col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Clock, new_id
from modhost.audit import AuditLog, Outcome
from modhost.caller import anonymous
from modhost.database import Database
from modhost.identity.access.credentials import hash_of, new_secret
from modhost.identity.access.throttle import Throttle, network_of
from modhost.identity.accounts import user_rows
from modhost.identity.accounts.passwords import Passwords
from modhost.identity.accounts.sessions import open_session
from modhost.identity.contracts import Visitor
from modhost.identity.errors import LoginFailed, TooManyFailures, UserDisabled
from modhost.identity.tables import LoginLink, User, UserNetwork
from modhost.permissions import ADMIN_ROLE

LINK_PATH: Final = "/login/once"
LINK_LIFETIME: Final = timedelta(minutes=10)
NETWORK_REMEMBERED_FOR: Final = timedelta(days=90)

_MAX_FAILURES_PER_ACCOUNT: Final = 5
_MAX_FAILURES_PER_ADDRESS: Final = 20


class Login:
    """Implements `LoginService`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        throttle: Throttle,
        audit: AuditLog,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._throttle = throttle
        self._audit = audit

    async def with_password(self, name: str, password: str, visitor: Visitor) -> str:
        """Log in by name and password."""
        network, now = network_of(visitor.address), self._clock.now()
        account, address = f"account {user_rows.key_of(name)}", f"address {network}"
        async with self._database.reading() as session:
            user, is_known_here = await find_visitor(session, name, network, now)
        if is_known_here:
            # Strangers are counted apart: they cannot keep a user out of their own networks.
            account += f" from {network}"
        allowances = {account: _MAX_FAILURES_PER_ACCOUNT, address: _MAX_FAILURES_PER_ADDRESS}
        try:
            self._throttle.begin(allowances)
            secret = await self._log_in(user, password, visitor, network)
        except TooManyFailures as error:
            if error.is_first:  # or whoever is made to wait could fill the audit
                reason = "too many logins have failed"
                await self._record(user, visitor, Outcome.REFUSED, reason)
            raise
        except LoginFailed:
            await self._record(user, visitor, Outcome.FAILED)
            raise
        self._throttle.succeeded(forget=account, forgive=address)
        return secret

    async def with_link(self, secret: str, visitor: Visitor) -> str:
        """Log in by a one-time link."""
        now = self._clock.now()
        spending = (
            update(LoginLink)
            .where(
                col(LoginLink.secret_hash) == hash_of(secret),
                col(LoginLink.used_at).is_(None),
                col(LoginLink.expires_at) > now,
            )
            .values(used_at=now)
            .returning(col(LoginLink.user_id))
        )
        try:
            async with self._database.session() as session:
                user_id = (await session.exec(spending)).scalar_one_or_none()
                user = await _lock(session, user_id)
                how = "by a one-time link"
                return await open_session(session, self._audit, user, visitor, how, now)
        except LoginFailed:
            await record_failed_login(self._audit, "a one-time link", visitor)
            raise

    async def create_link(self) -> str:
        """Return the path of a new link that logs the built-in administrator in, once."""
        now, secret = self._clock.now(), new_secret()
        async with self._database.session() as session:
            admin = user_rows.new_user(user_rows.BUILT_IN, now)
            if not await user_rows.insert(session, admin, [ADMIN_ROLE]):
                admin = await user_rows.get(session, user_rows.BUILT_IN)
            if admin.disabled_at is not None:
                msg = f"The user {admin.name!r} is disabled, and no link can log it in; "
                msg += f"`modhost users enable {admin.name}` lets it in again."
                raise UserDisabled(msg)
            link = LoginLink(
                id=new_id(),
                secret_hash=hash_of(secret),
                user_id=admin.id,
                created_at=now,
                expires_at=now + LINK_LIFETIME,
            )
            await session.exec(delete(LoginLink).where(col(LoginLink.expires_at) <= now))
            session.add(link)
        return f"{LINK_PATH}/{secret}"

    async def _log_in(
        self, user: User | None, password: str, visitor: Visitor, network: str
    ) -> str:
        hashed = None if user is None else user.password_hash
        matched = await self._passwords.matches(password, hashed)
        if user is None or hashed is None or not matched:
            raise LoginFailed
        is_outdated = self._passwords.is_outdated(hashed)
        renewed = await self._passwords.hash(password) if is_outdated else hashed
        async with self._database.session() as session:
            locked = await _lock(session, user.id)
            # It may have been replaced while it was verified, to keep this very visitor out.
            if locked.password_hash != hashed:
                raise LoginFailed
            locked.password_hash = renewed
            now = self._clock.now()
            await _remember_network(session, locked, network, now)
            return await open_session(session, self._audit, locked, visitor, "by password", now)

    async def _record(
        self, user: User | None, visitor: Visitor, outcome: Outcome, detail: str = ""
    ) -> None:
        # A name that nobody has is left out: it may be a password in the wrong field.
        subject = f"user:{user.name}" if user else "an unknown user"
        await record_failed_login(self._audit, subject, visitor, outcome, detail)


async def record_failed_login(
    audit: AuditLog,
    subject: str,
    visitor: Visitor,
    outcome: Outcome = Outcome.FAILED,
    detail: str = "",
) -> None:
    """Record a login that failed or was refused; the visitor stays anonymous."""
    nobody = anonymous(visitor.address)
    await audit.record("login", subject, outcome=outcome, detail=detail, caller=nobody)


async def find_visitor(
    session: AsyncSession, name: str, network: str, now: datetime
) -> tuple[User | None, bool]:
    """Return the user of that name, and whether they have logged in from the network.

    It is one statement for all names, so that its time does not reveal which of them exist.
    """
    visited = and_(
        col(UserNetwork.user_id) == col(User.id),
        col(UserNetwork.network) == network,
        col(UserNetwork.last_login_at) > now - NETWORK_REMEMBERED_FOR,
    )
    statement = select(User, UserNetwork.network).join(UserNetwork, visited, isouter=True)
    same = User.name_key == user_rows.key_of(name)
    found = (await session.exec(statement.where(same))).first()
    # Without an address, everybody would come from the same place.
    return (None, False) if found is None else (found[0], bool(found[1]))


async def _remember_network(session: AsyncSession, user: User, network: str, now: datetime) -> None:
    """Remember a login, and forget old ones; the transaction holds the user's row."""
    mine = col(UserNetwork.user_id) == user.id
    old = col(UserNetwork.last_login_at) <= now - NETWORK_REMEMBERED_FOR
    await session.exec(delete(UserNetwork).where(mine, old))
    if network:
        await session.merge(UserNetwork(user_id=user.id, network=network, last_login_at=now))


async def _lock(session: AsyncSession, user_id: UUID | None) -> User:
    """Return the user, locked until the transaction ends. Raises `LoginFailed`."""
    user = await session.get(User, user_id, with_for_update=True) if user_id else None
    if user is None or user.disabled_at is not None:
        raise LoginFailed
    return user
