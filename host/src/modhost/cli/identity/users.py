"""`modhost users`: the operator's way to let people in."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from modhost.cli.identity.commands import in_scope, read_password
from modhost.cli.output import as_json, plain, show
from modhost.identity import SessionService, UserInfo, UserService
from modhost.services import Scope


@click.group()
def users() -> None:
    """Users who log in with a browser: add, list, disable, and their roles."""


@users.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role, e.g. Admin; may be repeated.")
@as_json
@click.pass_context
def add_user(context: click.Context, name: str, *, roles: tuple[str, ...], as_json: bool) -> None:
    """Add a user; the password is asked for, or read from standard input."""

    async def check(scope: Scope) -> None:
        await (await scope.get(UserService)).check(name, roles)

    in_scope(context, check)
    password = read_password()

    async def add(scope: Scope) -> UserInfo:
        return await (await scope.get(UserService)).add(name, password, roles)

    _show_user(in_scope(context, add), "can log in", as_json=as_json)


@users.command("list")
@as_json
@click.pass_context
def list_users(context: click.Context, *, as_json: bool) -> None:
    """List all users."""

    async def find(scope: Scope) -> Sequence[UserInfo]:
        return await (await scope.get(UserService)).list()

    show([asdict(user) for user in in_scope(context, find)], as_json=as_json)


@users.command("disable")
@click.argument("name")
@as_json
@click.pass_context
def disable_user(context: click.Context, name: str, *, as_json: bool) -> None:
    """Log a user out everywhere, let them in no more, and revoke the tokens they made."""

    async def disable(scope: Scope) -> UserInfo:
        return await (await scope.get(UserService)).disable(name)

    _show_user(in_scope(context, disable), "is disabled and logged out", as_json=as_json)


@users.command("logout")
@click.argument("name")
@as_json
@click.pass_context
def log_out_user(context: click.Context, name: str, *, as_json: bool) -> None:
    """Log a user out everywhere; they can log in again."""

    async def end(scope: Scope) -> int:
        return await (await scope.get(SessionService)).end_all(name)

    ended = in_scope(context, end)
    if as_json:
        click.echo(json.dumps({"ended": ended}))
    else:
        click.echo(f"The user {name!r} is logged out; {ended} sessions are ended.")


@users.command("enable")
@click.argument("name")
@as_json
@click.pass_context
def enable_user(context: click.Context, name: str, *, as_json: bool) -> None:
    """Let a disabled user in again."""

    async def enable(scope: Scope) -> UserInfo:
        return await (await scope.get(UserService)).enable(name)

    _show_user(in_scope(context, enable), "can log in again", as_json=as_json)


@users.command("password")
@click.argument("name")
@click.pass_context
def set_password(context: click.Context, name: str) -> None:
    """Replace a user's password and log them out everywhere."""
    password = read_password()

    async def replace(scope: Scope) -> None:
        await (await scope.get(UserService)).set_password(name, password)

    in_scope(context, replace)
    click.echo(f"The password of {name!r} is replaced.")


@users.command("assign")
@click.argument("name")
@click.argument("role")
@as_json
@click.pass_context
def assign_role(context: click.Context, name: str, role: str, *, as_json: bool) -> None:
    """Give a user a role."""

    async def assign(scope: Scope) -> UserInfo:
        return await (await scope.get(UserService)).assign(name, role)

    _show_user(in_scope(context, assign), f"has the role {role}", as_json=as_json)


@users.command("withdraw")
@click.argument("name")
@click.argument("role")
@as_json
@click.pass_context
def withdraw_role(context: click.Context, name: str, role: str, *, as_json: bool) -> None:
    """Take a role from a user."""

    async def withdraw(scope: Scope) -> UserInfo:
        return await (await scope.get(UserService)).withdraw(name, role)

    _show_user(in_scope(context, withdraw), f"has no role {role}", as_json=as_json)


def _show_user(user: UserInfo, what: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(user), default=plain))
    else:
        click.echo(f"The user {user.name!r} {what}.")
