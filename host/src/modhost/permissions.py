"""Permissions, and the principal who has them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

ADMIN_ROLE: Final = "Admin"


@dataclass(frozen=True, slots=True)
class Permission:
    """A right that an endpoint or page requires.

    Args:
        name: `<Area>.<Action>`, e.g. `BackgroundJobs.ViewJobs`; unique in the host.
        label: what the right allows, for people.
        default_roles: roles that have it from the start.
        checked_in_code: whether `Principal.may` checks it rather than a route, so that
            `modhost doctor` does not report it as unused.

    Raises:
        TypeError: `default_roles` is a text, whose letters would be the roles.

    """

    name: str
    label: str
    default_roles: tuple[str, ...] = ()
    checked_in_code: bool = False

    def __post_init__(self) -> None:
        roles: object = self.default_roles
        if isinstance(roles, str):
            msg = f"The default roles of {self.name} are {roles!r}; give a tuple: ({roles!r},)."
            raise TypeError(msg)


class Anyone:
    """The explicit absence of a permission: open to callers without credentials."""

    def __repr__(self) -> str:
        return "ANYONE"


ANYONE: Final = Anyone()


def grants(grant: str, permission: str) -> bool:
    """Return whether one grant covers a permission.

    A grant is a permission's name, or a prefix that ends in `.*`, or `*` for everything. A wildcard
    stands for whole segments only: `BackgroundJobs.View*` covers nothing.
    """
    if grant == "*":
        return True
    if grant.endswith(".*"):
        return permission.startswith(grant[:-1])
    return grant == permission


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a user in a browser, an API token, or a job on somebody's behalf.

    Args:
        id: stable identity, e.g. `user:0199…` or `token:0199…`.
        name: what people call it; shown on pages and written to the audit.
        roles: the names of its roles; `Admin` passes every check.
        grants: permissions and wildcards, those of its roles included.

    """

    id: str
    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    grants: frozenset[str] = field(default_factory=frozenset)

    def may(self, permission: Permission | str) -> bool:
        """Return whether this principal has the permission."""
        name = permission.name if isinstance(permission, Permission) else permission
        if ADMIN_ROLE in self.roles:
            return True
        return any(grants(grant, name) for grant in self.grants)


class Permissions:
    """All permissions that the modules declare in `configure_permissions`."""

    def __init__(self) -> None:
        self._declared: dict[str, tuple[Permission, str]] = {}
        self.duplicates: list[tuple[str, str, str]] = []

    def declare(self, module: str, permissions: Iterable[Permission]) -> None:
        """Add a module's permissions; `duplicates` holds names that are declared twice."""
        for permission in permissions:
            if permission.name in self._declared:
                first = self._declared[permission.name][1]
                self.duplicates.append((permission.name, first, module))
            else:
                self._declared[permission.name] = (permission, module)

    def declared_by(self) -> Iterator[tuple[Permission, str]]:
        """Yield each permission with the name of the module that declares it."""
        yield from self._declared.values()

    def __contains__(self, permission: Permission) -> bool:
        return permission.name in self._declared

    def __iter__(self) -> Iterator[Permission]:
        return (permission for permission, _ in self._declared.values())
