"""`modhost tokens` and `modhost users`: the operator's way to let people and programs in."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, TypeVar

import anyio
import click

from modhost.cli.context import host_scope
from modhost.cli.output import as_json, plain, show
from modhost.durations import parse_duration
from modhost.identity.contracts import TokenInfo, TokenService, UserInfo, UserService
from modhost.identity.errors import (
    IdentityError,
    UnknownGrant,
    UnknownRole,
    UnusableExpiry,
    UnusableName,
    UnusablePassword,
)
from modhost.services import Scope

T = TypeVar("T")

_BAD_USAGE = (UnknownGrant, UnknownRole, UnusableExpiry, UnusableName, UnusablePassword)


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        try:
            return value if isinstance(value, timedelta) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


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
@click.option("--expires", type=_Duration(), help="How long it is valid, e.g. 30d; else for ever.")
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

    created = _in_scope(context, create)
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

    show([asdict(token) for token in _in_scope(context, find)], as_json=as_json)


@tokens.command("revoke")
@click.argument("id_or_name")
@as_json
@click.pass_context
def revoke_token(context: click.Context, id_or_name: str, *, as_json: bool) -> None:
    """End a token, at once and everywhere."""

    async def revoke(scope: Scope) -> TokenInfo:
        return await (await scope.get(TokenService)).revoke(id_or_name)

    revoked = _in_scope(context, revoke)
    if as_json:
        click.echo(json.dumps({"id": str(revoked.id), "name": revoked.name}))
    else:
        click.echo(f"The token {revoked.name!r} is revoked.")


@click.group()
def users() -> None:
    """Users who log in with a browser: add, list, disable."""


@users.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role, e.g. Admin; may be repeated.")
@as_json
@click.pass_context
def add_user(context: click.Context, name: str, *, roles: tuple[str, ...], as_json: bool) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    password = _read_password()

    async def add(scope: Scope) -> UserInfo:
        return await (await scope.get(UserService)).add(name, password, roles)

    _show_user(_in_scope(context, add), "can log in", as_json=as_json)


@users.command("list")
@as_json
@click.pass_context
def list_users(context: click.Context, *, as_json: bool) -> None:
    """List all users."""

    async def find(scope: Scope) -> Sequence[UserInfo]:
        return await (await scope.get(UserService)).list()

    show([asdict(user) for user in _in_scope(context, find)], as_json=as_json)


@users.command("disable")
@click.argument("name")
@as_json
@click.pass_context
def disable_user(context: click.Context, name: str, *, as_json: bool) -> None:
    """Log a user out everywhere, and let them in no more."""

    async def disable(scope: Scope) -> UserInfo:
        return await (await scope.get(UserService)).disable(name)

    _show_user(_in_scope(context, disable), "is disabled and logged out", as_json=as_json)


@users.command("enable")
@click.argument("name")
@as_json
@click.pass_context
def enable_user(context: click.Context, name: str, *, as_json: bool) -> None:
    """Let a disabled user in again."""

    async def enable(scope: Scope) -> UserInfo:
        return await (await scope.get(UserService)).enable(name)

    _show_user(_in_scope(context, enable), "can log in again", as_json=as_json)


@users.command("password")
@click.argument("name")
@click.pass_context
def set_password(context: click.Context, name: str) -> None:
    """Replace a user's password and log them out everywhere."""
    password = _read_password()

    async def replace(scope: Scope) -> None:
        await (await scope.get(UserService)).set_password(name, password)

    _in_scope(context, replace)
    click.echo(f"The password of {name!r} is replaced.")


def _in_scope(context: click.Context, action: Callable[[Scope], Awaitable[T]]) -> T:
    """Run an action with the host's services; what it refuses becomes a message and exit code."""

    async def run() -> T | IdentityError:
        async with host_scope(context) as scope:
            try:
                return await action(scope)
            except IdentityError as error:
                return error

    done = anyio.run(run)
    if isinstance(done, _BAD_USAGE):
        raise click.UsageError(str(done), context)
    if isinstance(done, IdentityError):
        raise click.ClickException(str(done))
    return done


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _show_user(user: UserInfo, what: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(user), default=plain))
    else:
        click.echo(f"The user {user.name!r} {what}.")
