"""`modhost roles`: named sets of permissions."""

import json
from collections.abc import Sequence
from typing import Any

import click

from modhost.cli.identity.commands import in_scope
from modhost.cli.output import as_json, show
from modhost.identity import RoleInfo, RoleService
from modhost.services import Scope


@click.group()
def roles() -> None:
    """Roles, named sets of permissions: list, add, remove, grant, revoke."""


@roles.command("list")
@as_json
@click.pass_context
def list_roles(context: click.Context, *, as_json: bool) -> None:
    """List all roles with what they grant."""

    async def find(scope: Scope) -> Sequence[RoleInfo]:
        return await (await scope.get(RoleService)).list()

    show([_row(role) for role in in_scope(context, find)], as_json=as_json)


@roles.command("add")
@click.argument("name")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    help="A permission, or a wildcard such as 'Reports.*'; may be repeated.",
)
@as_json
@click.pass_context
def add_role(
    context: click.Context, name: str, *, permissions: tuple[str, ...], as_json: bool
) -> None:
    """Add a role."""

    async def add(scope: Scope) -> RoleInfo:
        return await (await scope.get(RoleService)).add(name, permissions)

    _tell(in_scope(context, add), as_json=as_json)


@roles.command("remove")
@click.argument("name")
@click.pass_context
def remove_role(context: click.Context, name: str) -> None:
    """Remove a role, from all users and tokens too."""

    async def remove(scope: Scope) -> None:
        await (await scope.get(RoleService)).remove(name)

    in_scope(context, remove)
    click.echo(f"The role {name!r} is removed.")


@roles.command("grant")
@click.argument("name")
@click.argument("permission")
@as_json
@click.pass_context
def grant_permission(context: click.Context, name: str, permission: str, *, as_json: bool) -> None:
    """Add a permission, or a wildcard, to a role."""

    async def grant(scope: Scope) -> RoleInfo:
        return await (await scope.get(RoleService)).grant(name, permission)

    _tell(in_scope(context, grant), as_json=as_json)


@roles.command("revoke")
@click.argument("name")
@click.argument("permission")
@as_json
@click.pass_context
def revoke_permission(context: click.Context, name: str, permission: str, *, as_json: bool) -> None:
    """Take a permission, or a wildcard, from a role."""

    async def revoke(scope: Scope) -> RoleInfo:
        return await (await scope.get(RoleService)).revoke(name, permission)

    _tell(in_scope(context, revoke), as_json=as_json)


def _row(role: RoleInfo) -> dict[str, Any]:
    return {"name": role.name, "grants": sorted(role.grants), "fixed": sorted(role.fixed)}


def _tell(role: RoleInfo, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_row(role)))
    else:
        click.echo(f"The role {role.name!r} grants {', '.join(sorted(role.grants)) or 'nothing'}.")
