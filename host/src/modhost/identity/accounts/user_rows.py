"""Names of users and tokens: what is allowed, and when two are the same."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.identity.errors import UnusableName, UnusablePassword, UserNotFound, suggestion
from modhost.identity.tables import User, UserIdentity, UserRole
from modhost.ids import new_id

LONGEST: Final = 100


def usable(name: str, what: str) -> str:
    """Return the name as it is kept; `what` is whose it is. Raises `UnusableName`."""
    kept = unicodedata.normalize("NFC", name).strip()
    if not kept:
        msg = f"The name of a {what} is empty; give it one."
        raise UnusableName(msg)
    if not key_of(kept) or not kept.isprintable():
        msg = f"The name {name!r} of a {what} needs 1 to {LONGEST} printable characters."
        raise UnusableName(msg)
    return kept


def key_of(name: str) -> str:
    """Return what the spellings of one name have in common; empty for what can be no name."""
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())
    return key if len(name) <= LONGEST and key.isprintable() else ""


BUILT_IN: Final = "admin"


def new_user(name: str, now: datetime) -> User:
    """Return a user without a password, not yet stored. Raises `UnusableName`."""
    kept = usable(name, "user")
    return User(id=new_id(), name=kept, name_key=key_of(kept), created_at=now)


async def find_user(session: AsyncSession, name: str) -> User | None:
    """Return the user of that name, in any spelling."""
    return (await session.exec(select(User).where(User.name_key == key_of(name)))).first()


async def existing_user(session: AsyncSession, user_or_name: UUID | str) -> User:
    """Return the user with that id, or name in any spelling. Raises `UserNotFound`."""
    if isinstance(user_or_name, UUID):
        user = await session.get(User, user_or_name)
        if user is None:
            msg = f"There is no user with the id {user_or_name}."
            raise UserNotFound(msg)
        return user
    name = user_or_name
    user = await find_user(session, name)
    if user is None:
        known = (await session.exec(select(User.name).order_by(col(User.name_key)))).all()
        msg = f"There is no user {name!r}. "
        msg += suggestion(name, known, "`modhost users list` shows all.")
        raise UserNotFound(msg)
    return user


async def refuse_vouched(session: AsyncSession, user: User) -> None:
    """Refuse a password for a user of a provider: it would outlive what that says of them.

    Raises `UnusablePassword`.
    """
    mine = select(UserIdentity.issuer).where(UserIdentity.user_id == user.id)
    issuer = (await session.exec(mine)).first()
    if issuer is not None:
        msg = f"The user {user.name!r} logs in by {issuer}, and has no password here to change."
        raise UnusablePassword(msg)


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


async def roles_of(session: AsyncSession, user: User) -> Sequence[str]:
    """Return the names of a user's roles, in order."""
    held = select(UserRole.role).where(UserRole.user_id == user.id).order_by(UserRole.role)
    return (await session.exec(held)).all()


async def all_roles(session: AsyncSession) -> dict[UUID, list[str]]:
    """Return the roles of all users, by the user's id."""
    found: dict[UUID, list[str]] = {}
    for held in await session.exec(select(UserRole).order_by(UserRole.role)):
        found.setdefault(held.user_id, []).append(held.role)
    return found
