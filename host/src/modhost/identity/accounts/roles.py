"""Roles: named sets of permissions, added, changed and removed."""

from collections.abc import Collection, Sequence

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.identity.access.grants import Rights, distinct
from modhost.identity.accounts.audited import AuditedService
from modhost.identity.accounts.user_rows import key_of, usable_name
from modhost.identity.contracts import RoleInfo
from modhost.identity.errors import FixedRole, NameTaken, UnknownRole
from modhost.identity.tables import Role, TokenRole, UserRole
from modhost.permissions import ADMIN_ROLE


class Roles(AuditedService):
    """Implements `RoleService`, whose methods say what each does."""

    async def list(self) -> Sequence[RoleInfo]:
        """Return all roles by name."""
        async with self._database.reading() as session:
            roles = await self._grants.of_roles(session)
        return [self._info(name, granted) for name, granted in roles.items()]

    async def add(self, name: str, permissions: Collection[str]) -> RoleInfo:
        """Add a role."""
        rights = Rights(distinct(permissions))
        subject = f"role:{name.strip()}"
        async with self._change("roles.add", subject, rights.in_words()) as (session, _):
            stored = usable_name(name, "role")
            await self._grants.check(session, rights, None)
            for other in await self._grants.of_roles(session):
                # Nor a name that reads like that of another, such as `admin` beside `Admin`.
                if key_of(other) == key_of(stored):
                    raise _name_taken(other)
            role = Role(
                name=stored, permissions=list(rights.permissions), created_at=self._clock.now()
            )
            session.add(role)
            try:
                await session.flush()
            except IntegrityError:
                raise _name_taken(stored) from None
        return self._info(stored, frozenset(rights.permissions))

    async def remove(self, name: str) -> None:
        """Remove a role from all who have it."""
        async with self._change("roles.remove", f"role:{name.strip()}") as (session, _):
            role = await self._existing(session, name)
            if name in self._grants.defaults:
                msg = f"The role {name!r} comes with the permissions of modules and stays."
                raise FixedRole(msg)
            await self._grants.check_reach(session, f"The role {name!r}", Rights(roles=(name,)))
            await session.exec(delete(UserRole).where(col(UserRole.role) == name))
            await session.exec(delete(TokenRole).where(col(TokenRole.role) == name))
            await session.delete(role)

    async def grant(self, name: str, permission: str) -> RoleInfo:
        """Add a permission to a role."""
        async with self._change("roles.grant", f"role:{name.strip()}", permission) as (session, _):
            role = await self._existing(session, name)
            if name == ADMIN_ROLE:
                raise FixedRole(f"The role {ADMIN_ROLE} has every permission already.")
            await self._grants.check(session, Rights((permission,)), None)
            return await self._store(session, role, [*role.permissions, permission])

    async def revoke(self, name: str, permission: str) -> RoleInfo:
        """Take a permission from a role."""
        async with self._change("roles.revoke", f"role:{name.strip()}", permission) as (session, _):
            role = await self._existing(session, name)
            if permission in self._grants.defaults.get(name, ()):
                msg = f"The role {name!r} has {permission} from the module that declares it."
                raise FixedRole(msg)
            await self._grants.check_reach(session, f"The role {name!r}", Rights(roles=(name,)))
            left = [each for each in role.permissions if each != permission]
            return await self._store(session, role, left)

    async def _existing(self, session: AsyncSession, name: str) -> Role:
        """Return the role's row, a new one for a role that only modules know so far."""
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


def _name_taken(name: str) -> NameTaken:
    return NameTaken(f"There is a role {name!r}; choose another name, or grant it more.")
