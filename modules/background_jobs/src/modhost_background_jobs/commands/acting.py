"""What the commands share: a scope of the host, and errors as a line and an exit code."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import click

from modhost.cli import host_scope
from modhost.services import Scope
from modhost_background_jobs.contracts import BackgroundJobsError

T = TypeVar("T")


def in_scope(context: click.Context, action: Callable[[Scope], Awaitable[T]]) -> T:
    """Run an action with the host's services; what it refuses becomes one line and exit code 1."""

    async def run() -> T | BackgroundJobsError:
        async with host_scope(context) as scope:
            try:
                return await action(scope)
            except BackgroundJobsError as error:
                return error

    done = anyio.run(run)
    if isinstance(done, BackgroundJobsError):
        raise click.ClickException(str(done))
    return done
