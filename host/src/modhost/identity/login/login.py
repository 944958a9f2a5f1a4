"""The ways into a session: a password, or a link that works once."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlmodel import col, delete, update
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.audit import AuditLog, Outcome
from modhost.caller import Caller, anonymous
from modhost.clock import Clock
from modhost.database import Database
from modhost.identity.access.credentials import hash_of, new_secret
from modhost.identity.access.sessions import open_session
from modhost.identity.accounts.passwords import Passwords
from modhost.identity.accounts.user_rows import BUILT_IN, find_user, insert_user, key_of, new_user
from modhost.identity.contracts import Visitor
from modhost.identity.errors import LoginFailed, TooManyFailures, UserDisabled
from modhost.identity.login.known_networks import find_visited, remember_network
from modhost.identity.login.throttle import Throttle, network_of
from modhost.identity.tables import LoginLink, User
from modhost.ids import new_id
from modhost.permissions import ADMIN_ROLE

LINK_PATH: Final = "/login/once"
LINK_LIFETIME: Final = timedelta(minutes=10)

_FAILURES_PER_ACCOUNT: Final = 5
_FAILURES_PER_ADDRESS: Final = 20


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
        account, address = f"account {key_of(name)}", f"address {network}"
        async with self._database.reading() as session:
            user, is_known = await find_visited(session, name, network, now)
            user_id, hashed = (user.id, user.password_hash) if user else (None, None)
        if is_known:
            # Strangers count elsewhere: they cannot keep somebody out of where they are at home.
            account += f" from {network}"
        try:
            self._throttle.begin({account: _FAILURES_PER_ACCOUNT, address: _FAILURES_PER_ADDRESS})
            secret = await self._log_in(user_id, hashed, password, visitor)
        except (LoginFailed, TooManyFailures) as error:
            await self._note_failure(_subject(user), visitor, error)
            raise
        self._throttle.succeeded(forget=account, forgive=address)
        return secret

    async def with_link(self, secret: str, visitor: Visitor) -> str:
        """Log in by a one-time link."""
        try:
            return await self._spend_link(secret, visitor)
        except LoginFailed as error:
            await self._note_failure("a one-time link", visitor, error)
            raise

    async def create_link(self) -> str:
        """Return the path of a new link that logs the built-in administrator in, once."""
        now, secret = self._clock.now(), new_secret()
        async with self._database.session() as session:
            admin = new_user(BUILT_IN, now)
            if not await insert_user(session, admin, [ADMIN_ROLE]):
                admin = await find_user(session, BUILT_IN) or admin
            if admin.disabled_at is not None:
                msg = f"The user {BUILT_IN!r} is disabled, and no link can log it in; "
                msg += f"`modhost users enable {BUILT_IN}` lets it in again."
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
        self, user_id: UUID | None, hashed: str | None, password: str, visitor: Visitor
    ) -> str:
        matched = await self._passwords.matches(password, hashed)
        if user_id is None or hashed is None or not matched:
            raise LoginFailed
        renewed = await self._renewed(password, hashed)
        return await self._open(user_id, visitor, verified=hashed, renewed=renewed)

    async def _spend_link(self, secret: str, visitor: Visitor) -> str:
        now = self._clock.now()
        spend = (
            update(LoginLink)
            .where(
                col(LoginLink.secret_hash) == hash_of(secret),
                col(LoginLink.used_at).is_(None),
                col(LoginLink.expires_at) > now,
            )
            .values(used_at=now)
            .returning(col(LoginLink.user_id))
        )
        async with self._database.session() as session:
            user_id = (await session.exec(spend)).scalar_one_or_none()
            if user_id is None:
                raise LoginFailed
            user = await _locked(session, user_id)
            await self._note_login(session, user, visitor, "by a one-time link")
            return await open_session(session, user.id, visitor, now)

    async def _renewed(self, password: str, hashed: str) -> str:
        """Return the hash to keep: a new one when hashes are made with more effort by now."""
        if self._passwords.is_outdated(hashed):
            return await self._passwords.hash(password)
        return hashed

    async def _open(self, user_id: UUID, visitor: Visitor, *, verified: str, renewed: str) -> str:
        async with self._database.session() as session:
            user = await _locked(session, user_id)
            # It may have been replaced while it was verified, to keep this very visitor out.
            if user.password_hash != verified:
                raise LoginFailed
            user.password_hash = renewed
            session.add(user)
            await self._note_login(session, user, visitor, "by password")
            now = self._clock.now()
            await remember_network(session, user_id, network_of(visitor.address), now)
            return await open_session(session, user_id, visitor, now)

    async def _note_login(
        self, session: AsyncSession, user: User, visitor: Visitor, how: str
    ) -> None:
        caller = Caller("user", f"user:{user.id}", user.name, visitor.address)
        subject = f"user:{user.name}"
        await self._audit.record("login", subject, detail=how, session=session, caller=caller)

    async def _note_failure(
        self, subject: str, visitor: Visitor, error: LoginFailed | TooManyFailures
    ) -> None:
        outcome, detail = Outcome.FAILED, ""
        if isinstance(error, TooManyFailures):
            if not error.is_first:
                return  # or whoever is made to wait could fill the audit
            outcome, detail = Outcome.REFUSED, "too many logins have failed"
        nobody = anonymous(visitor.address)
        await self._audit.record("login", subject, outcome=outcome, detail=detail, caller=nobody)


def _subject(user: User | None) -> str:
    # A name that nobody has is left out: it may be a password in the wrong field.
    return f"user:{user.name}" if user else "an unknown user"


async def _locked(session: AsyncSession, user_id: UUID) -> User:
    """Return the user, unchangeable until the transaction ends. Raises `LoginFailed`."""
    user = await session.get(User, user_id, with_for_update=True)
    if user is None or user.disabled_at is not None:
        raise LoginFailed
    return user
