"""`modhost users`: let people in."""

import sys
from dataclasses import asdict

import click

from modhost import Scope
from modhost.cli.identity import with_identity
from modhost.cli.output import as_json, print_result, show
from modhost.identity import SessionService, UserInfo, UserService


@click.group()
def users() -> None:
    """Users who log in with a browser: add, list, disable, and their roles."""


@users.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role, e.g. Admin; may be repeated.")
@as_json
def add_user(name: str, *, roles: tuple[str, ...], as_json: bool) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    _check_user(name, roles)
    _add_user(name, read_password(), roles, as_json=as_json)


@users.command("list")
@as_json
@with_identity
async def list_users(scope: Scope, *, as_json: bool) -> None:
    """List all users."""
    service = await scope.get(UserService)
    show([asdict(user) for user in await service.list()], as_json=as_json)


@users.command("disable")
@click.argument("name")
@as_json
@with_identity
async def disable_user(scope: Scope, name: str, *, as_json: bool) -> None:
    """Log a user out everywhere, lock them out, and revoke the tokens that they created."""
    user = await (await scope.get(UserService)).disable(name)
    _print_user(user, "is disabled and logged out", as_json=as_json)


@users.command("logout")
@click.argument("name")
@as_json
@with_identity
async def log_out_user(scope: Scope, name: str, *, as_json: bool) -> None:
    """Log a user out everywhere; they can log in again."""
    ended = await (await scope.get(SessionService)).end_all(name)
    sentence = f"The user {name!r} is logged out; {ended} sessions are ended."
    print_result({"ended": ended}, sentence, as_json=as_json)


@users.command("enable")
@click.argument("name")
@as_json
@with_identity
async def enable_user(scope: Scope, name: str, *, as_json: bool) -> None:
    """Let a disabled user in again."""
    user = await (await scope.get(UserService)).enable(name)
    _print_user(user, "can log in again", as_json=as_json)


@users.command("password")
@click.argument("name")
def set_password(name: str) -> None:
    """Replace a user's password and log them out everywhere."""
    _replace_password(name, read_password())


@users.command("assign")
@click.argument("name")
@click.argument("role")
@as_json
@with_identity
async def assign_role(scope: Scope, name: str, role: str, *, as_json: bool) -> None:
    """Give a user a role."""
    user = await (await scope.get(UserService)).assign(name, role)
    _print_user(user, f"has the role {role}", as_json=as_json)


@users.command("withdraw")
@click.argument("name")
@click.argument("role")
@as_json
@with_identity
async def withdraw_role(scope: Scope, name: str, role: str, *, as_json: bool) -> None:
    """Take a role from a user."""
    user = await (await scope.get(UserService)).withdraw(name, role)
    _print_user(user, f"has no role {role}", as_json=as_json)


def read_password() -> str:
    """Ask for a new password, or read it from standard input when that is not a terminal."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@with_identity
async def _check_user(scope: Scope, name: str, roles: tuple[str, ...]) -> None:
    await (await scope.get(UserService)).check(name, roles)


@with_identity
async def _add_user(
    scope: Scope, name: str, password: str, roles: tuple[str, ...], *, as_json: bool
) -> None:
    user = await (await scope.get(UserService)).add(name, password, roles)
    _print_user(user, "can log in", as_json=as_json)


@with_identity
async def _replace_password(scope: Scope, name: str, password: str) -> None:
    await (await scope.get(UserService)).set_password(name, password)
    click.echo(f"The password of {name!r} is replaced.")


def _print_user(user: UserInfo, what: str, *, as_json: bool) -> None:
    print_result(asdict(user), f"The user {user.name!r} {what}.", as_json=as_json)
