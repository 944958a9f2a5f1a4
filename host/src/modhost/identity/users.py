"""Users: added, listed, disabled, given a password."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.clock import Clock
from modhost.database import Database
from modhost.identity.contracts import UserInfo
from modhost.identity.errors import NameTaken, UnusableName, UserNotFound, suggestion
from modhost.identity.grants import Grants, Rights, distinct
from modhost.identity.names import key_of, usable
from modhost.identity.passwords import Passwords
from modhost.identity.sessions import delete_sessions
from modhost.identity.tables import User, UserRole
from modhost.ids import new_id
from modhost.permissions import ADMIN_ROLE, Principal

BUILT_IN: Final = "admin"


class Users:
    """Implements `UserService`."""

    def __init__(
        self, database: Database, clock: Clock, grants: Grants, passwords: Passwords
    ) -> None:
        self._database = database
        self._clock = clock
        self._grants = grants
        self._passwords = passwords

    async def add(
        self,
        name: str,
        password: str | None,
        roles: Collection[str] = (),
        *,
        creator: Principal | None = None,
    ) -> UserInfo:
        """Add a user."""
        rights = Rights((), distinct(roles))
        user = new_user(name, self._clock.now())
        _refuse_powerless_admin(user, rights)
        user.password_hash = None if password is None else await self._passwords.hash(password)
        async with self._database.session() as session:
            await self._grants.check(session, rights, creator)
            if not await insert_user(session, user, rights.roles):
                msg = f"There is a user {user.name!r}; choose another name, or set a password with "
                msg += f"`modhost users password {user.name}`."
                raise NameTaken(msg)
            return _info(user, rights.roles)

    async def list(self) -> Sequence[UserInfo]:
        """Return all users by name."""
        async with self._database.reading() as session:
            users = (await session.exec(select(User).order_by(User.name_key))).all()
            roles = await _all_roles(session)
            return [_info(user, roles.get(user.id, ())) for user in users]

    async def disable(self, name: str) -> UserInfo:
        """Log a user out everywhere and let them in no more."""
        return await self._set_disabled(name, self._clock.now())

    async def enable(self, name: str) -> UserInfo:
        """Let a disabled user in again."""
        return await self._set_disabled(name, None)

    async def set_password(self, name: str, password: str) -> None:
        """Replace a password and end all the user's sessions."""
        hashed = await self._passwords.hash(password)
        async with self._database.session() as session:
            user = await _existing(session, name)
            user.password_hash = hashed
            session.add(user)
            await delete_sessions(session, user.id)

    async def _set_disabled(self, name: str, disabled_at: datetime | None) -> UserInfo:
        async with self._database.session() as session:
            user = await _existing(session, name)
            user.disabled_at = disabled_at
            session.add(user)
            await delete_sessions(session, user.id)
            roles = await session.exec(select(UserRole.role).where(UserRole.user_id == user.id))
            return _info(user, roles)


def new_user(name: str, now: datetime) -> User:
    """Return a user without a password, not yet stored. Raises `UnusableName`."""
    kept = usable(name, "user")
    return User(id=new_id(), name=kept, name_key=key_of(kept), created_at=now)


async def find_user(session: AsyncSession, name: str) -> User | None:
    """Return the user of that name, in any spelling."""
    return (await session.exec(select(User).where(User.name_key == key_of(name)))).first()


async def insert_user(session: AsyncSession, user: User, roles: Iterable[str]) -> bool:
    """Store a new user with their roles; False when the name is taken."""
    taken = select(User.id).where(User.name_key == user.name_key)
    if (await session.exec(taken)).first() is not None:
        return False
    try:
        async with session.begin_nested():
            session.add(user)
            session.add_all(UserRole(user_id=user.id, role=role) for role in roles)
    except IntegrityError:
        return False
    return True


def _refuse_powerless_admin(user: User, rights: Rights) -> None:
    # The one-time link logs in as this user, and promises an administrator.
    if user.name_key == BUILT_IN and ADMIN_ROLE not in rights.roles:
        msg = f"The user {user.name!r} is the built-in administrator: give it the role "
        msg += f"{ADMIN_ROLE}, or choose another name."
        raise UnusableName(msg)


async def _existing(session: AsyncSession, name: str) -> User:
    user = await find_user(session, name)
    if user is None:
        known = (await session.exec(select(User.name).order_by(col(User.name_key)))).all()
        msg = f"There is no user {name!r}. "
        msg += suggestion(name, known, "`modhost users list` shows all.")
        raise UserNotFound(msg)
    return user


async def _all_roles(session: AsyncSession) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    for held in await session.exec(select(UserRole).order_by(UserRole.role)):
        found.setdefault(held.user_id, []).append(held.role)
    return found


def _info(user: User, roles: Iterable[str]) -> UserInfo:
    return UserInfo(
        id=user.id,
        name=user.name,
        roles=tuple(roles),
        created_at=user.created_at,
        has_password=user.password_hash is not None,
        is_disabled=user.disabled_at is not None,
    )
