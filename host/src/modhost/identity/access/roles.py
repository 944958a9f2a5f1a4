"""The roles that there are: named sets of permissions."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.clock import Clock
from modhost.database import Database
from modhost.identity.access.grants import Grants, Rights, distinct
from modhost.identity.accounts.changes import Changing
from modhost.identity.accounts.user_rows import key_of, usable
from modhost.identity.contracts import RoleInfo
from modhost.identity.errors import FixedRole, NameTaken, UnknownRole
from modhost.identity.tables import Role, TokenRole, UserRole
from modhost.permissions import ADMIN_ROLE


class Roles:
    """Implements `RoleService`; what each method promises is said there."""

    def __init__(
        self, database: Database, clock: Clock, grants: Grants, changing: Changing
    ) -> None:
        self._database = database
        self._clock = clock
        self._grants = grants
        self._changing = changing

    async def list(self) -> Sequence[RoleInfo]:
        """Return all roles by name."""
        async with self._database.reading() as session:
            roles = await self._grants.of_roles(session)
        return [self._info(name, granted) for name, granted in roles.items()]

    async def add(self, name: str, permissions: Collection[str]) -> RoleInfo:
        """Add a role."""
        given = distinct(permissions)
        rights = Rights(given, ())
        async with self._change("roles.add", name, rights.in_words()) as session:
            kept = usable(name, "role")
            await self._grants.check(session, rights, None)
            await self._refuse_twin(session, kept)
            session.add(Role(name=kept, permissions=list(given), created_at=self._clock.now()))
            try:
                await session.flush()
            except IntegrityError:
                raise _taken(kept) from None
        return self._info(kept, frozenset(given))

    async def remove(self, name: str) -> None:
        """Remove a role from all who have it."""
        async with self._change("roles.remove", name) as session:
            role = await self._existing(session, name)
            if name in self._grants.defaults:
                msg = f"The role {name!r} comes with the permissions of modules and stays."
                raise FixedRole(msg)
            await self._grants.check_reach(session, f"The role {name!r}", Rights((), (name,)))
            await session.exec(delete(UserRole).where(col(UserRole.role) == name))
            await session.exec(delete(TokenRole).where(col(TokenRole.role) == name))
            await session.delete(role)

    async def grant(self, name: str, permission: str) -> RoleInfo:
        """Add a permission to a role."""
        async with self._change("roles.grant", name, permission) as session:
            role = await self._existing(session, name)
            if name == ADMIN_ROLE:
                msg = f"The role {ADMIN_ROLE} has every permission already."
                raise FixedRole(msg)
            await self._grants.check(session, Rights((permission,), ()), None)
            return await self._store(session, role, [*role.permissions, permission])

    async def revoke(self, name: str, permission: str) -> RoleInfo:
        """Take a permission from a role."""
        async with self._change("roles.revoke", name, permission) as session:
            role = await self._existing(session, name)
            if permission in self._grants.defaults.get(name, ()):
                msg = f"The role {name!r} has {permission} from the module that declares it."
                raise FixedRole(msg)
            await self._grants.check_reach(session, f"The role {name!r}", Rights((), (name,)))
            left = [each for each in role.permissions if each != permission]
            return await self._store(session, role, left)

    def _change(
        self, action: str, name: str, detail: str = ""
    ) -> AbstractAsyncContextManager[AsyncSession]:
        return self._changing.change(action, f"role:{name.strip()}", detail)

    async def _refuse_twin(self, session: AsyncSession, name: str) -> None:
        """Refuse a role whose name reads like that of another, such as `admin` beside `Admin`."""
        for other in await self._grants.of_roles(session):
            if key_of(other) == key_of(name):
                raise _taken(other)

    async def _existing(self, session: AsyncSession, name: str) -> Role:
        """Return the role's row, a new one for a role that so far only modules know."""
        role = await session.get(Role, name, with_for_update=True)
        if role is not None:
            return role
        if name not in self._grants.defaults:
            raise UnknownRole(name, list(await self._grants.of_roles(session)))
        return Role(name=name, permissions=[], created_at=self._clock.now())

    async def _store(
        self, session: AsyncSession, role: Role, permissions: Sequence[str]
    ) -> RoleInfo:
        role.permissions = list(distinct(permissions))
        session.add(role)
        await session.flush()
        return self._info(role.name, self._grants.of([role.name], role.permissions))

    def _info(self, name: str, granted: frozenset[str]) -> RoleInfo:
        return RoleInfo(name, granted, self._grants.defaults.get(name, frozenset()))


def _taken(name: str) -> NameTaken:
    return NameTaken(f"There is a role {name!r}; choose another name, or grant it more.")
