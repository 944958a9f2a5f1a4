"""What the commands of users, roles and tokens share."""

import sys
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio
import click

from modhost.cli.context import host_scope
from modhost.cli.usage import BadUsage
from modhost.identity import IdentityError
from modhost.identity.errors import (
    FixedRole,
    UnknownGrant,
    UnknownRole,
    UnusableExpiry,
    UnusableName,
    UnusablePassword,
)
from modhost.services import Scope

T = TypeVar("T")

_BAD_USAGE: Final = (
    FixedRole,
    UnknownGrant,
    UnknownRole,
    UnusableExpiry,
    UnusableName,
    UnusablePassword,
)


def in_scope(context: click.Context, action: Callable[[Scope], Awaitable[T]]) -> T:
    """Run an action with the host's services; what it refuses becomes a message and exit code."""

    async def run() -> T | IdentityError:
        async with host_scope(context) as scope:
            try:
                return await action(scope)
            except IdentityError as error:
                return error

    done = anyio.run(run)
    if isinstance(done, _BAD_USAGE):
        raise BadUsage(str(done))
    if isinstance(done, IdentityError):
        raise click.ClickException(str(done))
    return done


def read_password() -> str:
    """Ask for a new password, or read it from standard input when that is no terminal."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
