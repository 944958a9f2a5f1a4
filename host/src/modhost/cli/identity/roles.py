"""`modhost roles`: named sets of permissions."""

from typing import Any

import click

from modhost.cli.identity import permissions_option, with_identity
from modhost.cli.output import as_json, print_result, show
from modhost.identity import RoleInfo, RoleService
from modhost.services import Scope


@click.group()
def roles() -> None:
    """Roles, named sets of permissions: list, add, remove, grant, revoke."""


@roles.command("list")
@as_json
@with_identity
async def list_roles(scope: Scope, *, as_json: bool) -> None:
    """List all roles with what they grant."""
    service = await scope.get(RoleService)
    show([_row(role) for role in await service.list()], as_json=as_json)


@roles.command("add")
@click.argument("name")
@permissions_option
@as_json
@with_identity
async def add_role(scope: Scope, name: str, *, permissions: tuple[str, ...], as_json: bool) -> None:
    """Add a role."""
    service = await scope.get(RoleService)
    _print_role(await service.add(name, permissions), as_json=as_json)


@roles.command("remove")
@click.argument("name")
@with_identity
async def remove_role(scope: Scope, name: str) -> None:
    """Remove a role, from all users and tokens too."""
    await (await scope.get(RoleService)).remove(name)
    click.echo(f"The role {name!r} is removed.")


@roles.command("grant")
@click.argument("name")
@click.argument("permission")
@as_json
@with_identity
async def grant_permission(scope: Scope, name: str, permission: str, *, as_json: bool) -> None:
    """Add a permission, or a wildcard, to a role."""
    service = await scope.get(RoleService)
    _print_role(await service.grant(name, permission), as_json=as_json)


@roles.command("revoke")
@click.argument("name")
@click.argument("permission")
@as_json
@with_identity
async def revoke_permission(scope: Scope, name: str, permission: str, *, as_json: bool) -> None:
    """Take a permission, or a wildcard, from a role."""
    service = await scope.get(RoleService)
    _print_role(await service.revoke(name, permission), as_json=as_json)


def _row(role: RoleInfo) -> dict[str, Any]:
    return {"name": role.name, "grants": sorted(role.grants), "fixed": sorted(role.fixed)}


def _print_role(role: RoleInfo, *, as_json: bool) -> None:
    grants = ", ".join(sorted(role.grants)) or "nothing"
    print_result(_row(role), f"The role {role.name!r} grants {grants}.", as_json=as_json)
