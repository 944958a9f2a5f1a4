"""The rights that roles and tokens grant, and who may grant them to others."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Principal
from modhost.caller import current_caller
from modhost.identity.errors import NotYoursToGrant, NotYoursToManage, UnknownGrant, UnknownRole
from modhost.identity.tables import Role
from modhost.permissions import ADMIN_ROLE, Permissions, grants


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of a user, role or token: permissions granted directly, and roles."""

    permissions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return the rights as the audit shows them."""
        return ", ".join([*(f"role {role}" for role in self.roles), *self.permissions]) or "none"


class Grants:
    """The declared permissions, and the roles that come with them."""

    def __init__(self, declared: Permissions) -> None:
        self._permissions = declared

    @cached_property
    def declared(self) -> tuple[str, ...]:
        """The names of all declared permissions."""
        return tuple(sorted(permission.name for permission in self._permissions))

    @cached_property
    def defaults(self) -> dict[str, frozenset[str]]:
        """The grants that modules declare by `default_roles`, by role."""
        found: dict[str, set[str]] = {ADMIN_ROLE: {"*"}}
        for permission in self._permissions:
            for role in permission.default_roles:
                found.setdefault(role, set()).add(permission.name)
        return {role: frozenset(names) for role, names in found.items()}

    def of(self, roles: Iterable[str], *more: Iterable[str]) -> frozenset[str]:
        """Return the default grants of some roles, and `more`."""
        return frozenset().union(*(self.defaults.get(role, ()) for role in roles), *more)

    async def of_roles(self, session: AsyncSession) -> dict[str, frozenset[str]]:
        """Return what each role grants, those in the database included."""
        stored = {role.name: role.permissions for role in await session.exec(select(Role))}
        names = {*stored, *self.defaults}
        return {name: self.of([name], stored.get(name, ())) for name in sorted(names)}

    async def check(self, session: AsyncSession, rights: Rights, creator: Principal | None) -> None:
        """Refuse rights that do not exist, or that their creator, else the caller, does not have.

        Raises `UnknownGrant`, `UnknownRole` and `NotYoursToGrant`.
        """
        for grant in rights.permissions:
            if not any(grants(grant, name) for name in self.declared):
                raise UnknownGrant(grant, self.declared)
        roles = await self.of_roles(session)
        for role in rights.roles:
            if role not in roles:
                raise UnknownRole(role, list(roles))
        giver = creator or await _limiting_caller()
        if giver is not None and (lacking := _lacking(giver, rights, roles)):
            msg = f"{giver.name} lacks {', '.join(lacking)}, and so cannot give it to others."
            raise NotYoursToGrant(msg)

    async def check_reach(self, session: AsyncSession, what: str, held: Rights) -> None:
        """Refuse that the caller changes a user, a role or a token with more rights than theirs.

        Otherwise whoever may manage users could take over an administrator by a new password.
        Raises `NotYoursToManage`.
        """
        caller = await _limiting_caller()
        if caller is not None and (beyond := _lacking(caller, held, await self.of_roles(session))):
            msg = f"{what} has {', '.join(beyond)}, which {caller.name} lacks and so cannot manage."
            raise NotYoursToManage(msg)


async def _limiting_caller() -> Principal | None:
    """Return the caller whose rights limit changes; None for the host, jobs and commands."""
    caller = await current_caller()
    if caller.kind == "anonymous":
        return Principal(caller.id, caller.name)
    return caller.principal


def distinct(names: Collection[str]) -> tuple[str, ...]:
    """Return the names in their order, each once."""
    return tuple(dict.fromkeys(names))


def _lacking(principal: Principal, rights: Rights, roles: dict[str, frozenset[str]]) -> list[str]:
    """Return the rights that the principal does not have."""
    if ADMIN_ROLE in rights.roles and ADMIN_ROLE not in principal.roles:
        return [f"role {ADMIN_ROLE}"]
    # A wildcard is covered by the same or a wider one only: `may` compares it like a name.
    of_roles = (grant for role in rights.roles for grant in sorted(roles.get(role, ())))
    return [grant for grant in (*rights.permissions, *of_roles) if not principal.may(grant)]
