"""`modhost tokens`: let programs in."""

from dataclasses import asdict
from datetime import timedelta

import click

from modhost.cli.identity import permissions_option, with_identity
from modhost.cli.output import DurationType, as_json, print_result, show
from modhost.identity import TokenService
from modhost.services import Scope


@click.group()
def tokens() -> None:
    """API tokens: create, list, revoke."""


@tokens.command("create")
@click.argument("name")
@permissions_option
@click.option("--role", "roles", multiple=True, help="A role; may be repeated.")
@click.option(
    "--expires", type=DurationType(), help="How long it is valid, e.g. 30d; else forever."
)
@as_json
@with_identity
async def create_token(
    scope: Scope,
    name: str,
    *,
    permissions: tuple[str, ...],
    roles: tuple[str, ...],
    expires: timedelta | None,
    as_json: bool,
) -> None:
    """Create a token and print it, this once."""
    service = await scope.get(TokenService)
    created = await service.create(name, permissions, roles, expires)
    fields = {"id": created.id, "name": created.name, "token": created.token}
    print_result(fields, created.token, as_json=as_json)
    if as_json:
        return
    click.echo(f"This is the token {created.name!r}; it is not shown again.", err=True)
    if not permissions and not roles:
        click.echo("It has no permission: it opens only what is open to everyone.", err=True)


@tokens.command("list")
@as_json
@with_identity
async def list_tokens(scope: Scope, *, as_json: bool) -> None:
    """List the tokens that are not revoked."""
    service = await scope.get(TokenService)
    show([asdict(token) for token in await service.list()], as_json=as_json)


@tokens.command("revoke")
@click.argument("id_or_name")
@as_json
@with_identity
async def revoke_token(scope: Scope, id_or_name: str, *, as_json: bool) -> None:
    """End a token, at once and everywhere."""
    revoked = await (await scope.get(TokenService)).revoke(id_or_name)
    fields = {"id": revoked.id, "name": revoked.name}
    print_result(fields, f"The token {revoked.name!r} is revoked.", as_json=as_json)
