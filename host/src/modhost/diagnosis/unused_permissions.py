"""Permissions that can be granted and open nothing: perhaps a route lost its check."""

from collections.abc import Iterator, Sequence
from typing import Final

from modhost.checks import Finding, rules
from modhost.permissions import Permission, Permissions
from modhost.web import ModuleWeb

_REMEDY: Final = (
    "Let a route ask for it, or remove it; if code asks for it, declare it with "
    "checked_in_code=True."
)


def check_permissions(web: Sequence[ModuleWeb], permissions: Permissions) -> list[Finding]:
    """Return a finding for each permission that no endpoint, page or menu entry asks for."""
    asked = set(_asked(web))
    return [
        Finding(
            rules.UNUSED_PERMISSION,
            f"no endpoint, page or menu entry asks for {permission.name!r}.",
            _REMEDY,
            module,
        )
        for permission, module in permissions.declared_by()
        if permission.name not in asked and not permission.checked_in_code
    ]


def _asked(web: Sequence[ModuleWeb]) -> Iterator[str]:
    for module in web:
        needed = [declared.permission for declared in module.declared]
        needed += [entry.permission for entry in module.menu.entries]
        yield from (each.name for each in needed if isinstance(each, Permission))
