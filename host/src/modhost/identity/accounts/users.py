"""Users: added, listed, disabled, given a password and roles."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Clock, Principal
from modhost.audit import AuditLog
from modhost.database import Database
from modhost.identity.access.grants import Grants, Rights, distinct
from modhost.identity.accounts import passwords, sessions, tokens, user_rows
from modhost.identity.accounts.audited import AuditedService
from modhost.identity.contracts import UserInfo
from modhost.identity.errors import FixedRole, NameTaken, UnusableName
from modhost.identity.tables import User, UserRole
from modhost.permissions import ADMIN_ROLE


class Users(AuditedService):
    """Implements `UserService`, whose methods say what each does."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        grants: Grants,
        audit: AuditLog,
        hasher: passwords.Passwords,
    ) -> None:
        super().__init__(database, clock, grants, audit)
        self._passwords = hasher

    async def add(
        self,
        name: str,
        password: str | None,
        roles: Collection[str] = (),
        *,
        creator: Principal | None = None,
    ) -> UserInfo:
        """Add a user."""
        rights = Rights(roles=distinct(roles))
        async with self._entry("users.add", f"user:{name}") as entry:
            entry.detail = rights.in_words()
            user = self._new_user(name, rights)
            entry.subject = f"user:{user.name}"
            if password is not None:
                passwords.check(password, user.name)
                user.password_hash = await self._passwords.hash(password)
            async with self._transaction(entry) as session:
                await self._grants.check(session, rights, creator)
                if not await user_rows.insert(session, user, rights.roles):
                    raise _name_taken(user.name)
        return _info(user, rights.roles)

    async def check(self, name: str, roles: Collection[str] = ()) -> None:
        """Raise what `add` would, the password aside."""
        rights = Rights(roles=distinct(roles))
        user = self._new_user(name, rights)
        async with self._database.reading() as session:
            await self._grants.check(session, rights, None)
            if await user_rows.find(session, user.name) is not None:
                raise _name_taken(user.name)

    async def list(self) -> Sequence[UserInfo]:
        """Return all users by name."""
        async with self._database.reading() as session:
            users = (await session.exec(select(User).order_by(User.name_key))).all()
            roles = await user_rows.all_roles(session)
            return [_info(user, roles.get(user.id, ())) for user in users]

    async def get(self, user_id: UUID) -> UserInfo:
        """Return one user."""
        async with self._database.reading() as session:
            user = await user_rows.get(session, user_id)
            return _info(user, await user_rows.roles_of(session, user))

    async def disable(self, user: UUID | str) -> UserInfo:
        """Log a user out everywhere, let them in no more, and revoke the tokens they made."""
        async with self._managing("users.disable", user) as (session, found):
            found.disabled_at = self._clock.now()
            await sessions.delete_all(session, found.id)
            await tokens.revoke_made_by(session, f"user:{found.id}", found.disabled_at)
            return _info(found, await user_rows.roles_of(session, found))

    async def enable(self, user: UUID | str) -> UserInfo:
        """Let a disabled user in again."""
        async with self._managing("users.enable", user) as (session, found):
            found.disabled_at = None
            return _info(found, await user_rows.roles_of(session, found))

    async def set_password(self, user: UUID | str, password: str) -> None:
        """Replace a password and end all the user's sessions."""
        async with self._entry("users.set_password", f"user:{user}") as entry:
            passwords.check(password)
            hashed = await self._passwords.hash(password)
            async with self._transaction(entry) as session:
                found = await self._manageable(session, entry, user)
                await user_rows.refuse_external(session, found)
                passwords.check(password, found.name)
                found.password_hash = hashed
                await sessions.delete_all(session, found.id)

    async def assign(self, user: UUID | str, role: str) -> UserInfo:
        """Give a user a role."""
        async with self._managing("users.assign_role", user, role) as (session, found):
            await self._grants.check(session, Rights(roles=(role,)), None)
            held = await user_rows.roles_of(session, found)
            if role not in held:
                session.add(UserRole(user_id=found.id, role=role))
            return _info(found, sorted({*held, role}))

    async def withdraw(self, user: UUID | str, role: str) -> UserInfo:
        """Take a role from a user."""
        async with self._managing("users.withdraw_role", user, role) as (session, found):
            if found.name_key == user_rows.BUILT_IN and role == ADMIN_ROLE:
                msg = f"The user {found.name!r} is the built-in administrator and stays "
                msg += f"{ADMIN_ROLE}; disable it to keep it out."
                raise FixedRole(msg)
            same = (col(UserRole.user_id) == found.id, col(UserRole.role) == role)
            await session.exec(delete(UserRole).where(*same))
            return _info(found, await user_rows.roles_of(session, found))

    @asynccontextmanager
    async def _managing(
        self, action: str, user: UUID | str, detail: str = ""
    ) -> AsyncIterator[tuple[AsyncSession, User]]:
        async with self._change(action, f"user:{user}", detail) as (session, entry):
            yield session, await self._manageable(session, entry, user)

    def _new_user(self, name: str, rights: Rights) -> User:
        user = user_rows.new_user(name, self._clock.now())
        # The one-time link logs in as this user, and promises an administrator.
        if user.name_key == user_rows.BUILT_IN and ADMIN_ROLE not in rights.roles:
            msg = f"The user {user.name!r} is the built-in administrator: give it the role "
            msg += f"{ADMIN_ROLE}, or choose another name."
            raise UnusableName(msg)
        return user


def _name_taken(name: str) -> NameTaken:
    msg = f"There is a user {name!r}; choose another name, or set a password with "
    return NameTaken(f"{msg}`modhost users password {name}`.")


def _info(user: User, roles: Iterable[str]) -> UserInfo:
    return UserInfo(
        id=user.id,
        name=user.name,
        roles=tuple(roles),
        created_at=user.created_at,
        has_password=user.password_hash is not None,
        is_disabled=user.disabled_at is not None,
    )
