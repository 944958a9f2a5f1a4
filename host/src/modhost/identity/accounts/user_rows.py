"""Rows of users: found by name or id, inserted, with their roles; and which names are usable."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import new_id
from modhost.identity.errors import UnusableName, UnusablePassword, UserNotFound, suggestion
from modhost.identity.tables import User, UserIdentity, UserRole

MAX_NAME_LENGTH: Final = 100
BUILT_IN: Final = "admin"

# No character decomposes into more than four, so a longer text does not compose to a usable name.
_MAX_DECOMPOSED: Final = 4 * MAX_NAME_LENGTH


def usable_name(name: str, what: str) -> str:
    """Return the name of a user, role or token (`what`) as stored. Raises `UnusableName`."""
    stripped = name.strip()
    if not stripped:
        raise UnusableName(f"The name of a {what} is empty; give it one.")
    # Normalizing many combining marks takes quadratic time, so the length is checked before.
    is_long = len(stripped) > _MAX_DECOMPOSED
    stored = "" if is_long else unicodedata.normalize("NFC", stripped)
    if not key_of(stored) or not stored.isprintable():
        shown = f"{name[:MAX_NAME_LENGTH]!r}…" if is_long else repr(name)
        msg = f"The name {shown} of a {what} needs 1 to {MAX_NAME_LENGTH} printable characters."
        raise UnusableName(msg)
    return stored


def key_of(name: str) -> str:
    """Return the key that all spellings of a name share; empty for an impossible name."""
    stripped = name.strip()
    if len(stripped) > MAX_NAME_LENGTH:
        return ""
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", stripped).casefold())
    return key if key.isprintable() else ""


def new_user(name: str, now: datetime) -> User:
    """Return a user without a password, not yet stored. Raises `UnusableName`."""
    stored = usable_name(name, "user")
    return User(id=new_id(), name=stored, name_key=key_of(stored), created_at=now)


async def find(session: AsyncSession, name: str) -> User | None:
    """Return the user of that name, in any spelling."""
    return (await session.exec(select(User).where(User.name_key == key_of(name)))).first()


async def get(session: AsyncSession, user: UUID | str) -> User:
    """Return the user with that id, or name in any spelling. Raises `UserNotFound`."""
    by_id = isinstance(user, UUID)
    found = await (session.get(User, user) if by_id else find(session, str(user)))
    if found is not None:
        return found
    if by_id:
        raise UserNotFound(f"There is no user with the id {user}.")
    known = (await session.exec(select(User.name).order_by(col(User.name_key)))).all()
    remedy = suggestion(str(user), known, "`modhost users list` shows all.")
    raise UserNotFound(f"There is no user {user!r}. {remedy}")


async def insert(session: AsyncSession, user: User, roles: Iterable[str]) -> bool:
    """Store a new user with their roles; return False when the name is taken."""
    if await find(session, user.name) is not None:
        return False
    try:
        async with session.begin_nested():
            session.add(user)
            session.add_all(UserRole(user_id=user.id, role=role) for role in roles)
    except IntegrityError:
        return False
    return True


async def refuse_external(session: AsyncSession, user: User) -> None:
    """Refuse a password for a user of an external provider: it would outlive their account there.

    Raises `UnusablePassword`.
    """
    mine = select(UserIdentity.issuer).where(UserIdentity.user_id == user.id)
    issuer = (await session.exec(mine)).first()
    if issuer is not None:
        msg = f"The user {user.name!r} logs in by {issuer}, and has no password here to change."
        raise UnusablePassword(msg)


async def roles_of(session: AsyncSession, user: User) -> Sequence[str]:
    """Return the names of a user's roles, in order."""
    held = select(UserRole.role).where(UserRole.user_id == user.id).order_by(UserRole.role)
    return (await session.exec(held)).all()


async def all_roles(session: AsyncSession) -> dict[UUID, list[str]]:
    """Return the roles of all users, by the user's id."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for held in await session.exec(select(UserRole).order_by(UserRole.role)):
        found[held.user_id].append(held.role)
    return found
