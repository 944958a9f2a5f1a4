"""`modhost tokens`: the operator's way to let programs in."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

import click

from modhost.cli.identity.commands import in_scope
from modhost.cli.output import as_json, show
from modhost.cli.usage import DurationType
from modhost.identity import TokenInfo, TokenService
from modhost.services import Scope


@click.group()
def tokens() -> None:
    """API tokens: create, list, revoke."""


@tokens.command("create")
@click.argument("name")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    help="A permission, or a wildcard such as 'Reports.*'; may be repeated.",
)
@click.option("--role", "roles", multiple=True, help="A role; may be repeated.")
@click.option(
    "--expires", type=DurationType(), help="How long it is valid, e.g. 30d; else for ever."
)
@as_json
@click.pass_context
def create_token(
    context: click.Context,
    name: str,
    *,
    permissions: tuple[str, ...],
    roles: tuple[str, ...],
    expires: timedelta | None,
    as_json: bool,
) -> None:
    """Create a token and print it, this once."""

    async def create(scope: Scope) -> dict[str, str]:
        service = await scope.get(TokenService)
        created = await service.create(name, permissions, roles, expires)
        return {"id": str(created.id), "name": created.name, "token": created.token}

    created = in_scope(context, create)
    if as_json:
        click.echo(json.dumps(created))
        return
    click.echo(created["token"])
    click.echo(f"This is the token {created['name']!r}; it is not shown again.", err=True)
    if not permissions and not roles:
        click.echo("It has no permission: it opens only what is open to everyone.", err=True)


@tokens.command("list")
@as_json
@click.pass_context
def list_tokens(context: click.Context, *, as_json: bool) -> None:
    """List the tokens that are not revoked."""

    async def find(scope: Scope) -> Sequence[TokenInfo]:
        return await (await scope.get(TokenService)).list()

    show([asdict(token) for token in in_scope(context, find)], as_json=as_json)


@tokens.command("revoke")
@click.argument("id_or_name")
@as_json
@click.pass_context
def revoke_token(context: click.Context, id_or_name: str, *, as_json: bool) -> None:
    """End a token, at once and everywhere."""

    async def revoke(scope: Scope) -> TokenInfo:
        return await (await scope.get(TokenService)).revoke(id_or_name)

    revoked = in_scope(context, revoke)
    if as_json:
        click.echo(json.dumps({"id": str(revoked.id), "name": revoked.name}))
    else:
        click.echo(f"The token {revoked.name!r} is revoked.")
