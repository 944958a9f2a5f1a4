"""`modhost jobs limits`: list the limits, set another number, go back to that of the class."""

from typing import Final

import click

from modhost import Scope
from modhost.cli import as_json, print_result, show, with_scope
from modhost_background_jobs.client.limit_changes import MAX_LIMIT, LimitChanges
from modhost_background_jobs.contracts import BackgroundJobsError
from modhost_background_jobs.inspection.limits import LimitReader
from modhost_background_jobs.queue.limits import UnknownLimit

_USAGE: Final = (UnknownLimit,)


@click.group()
def limits() -> None:
    """Limits of jobs: list, set, reset."""


@limits.command("list")
@as_json
@with_scope(BackgroundJobsError)
async def list_limits(scope: Scope, *, as_json: bool) -> None:
    """List the limits with what runs within them and waits behind them."""
    found = await (await scope.get(LimitReader)).all()
    rows = [each.status.model_dump() for each in found]
    show(rows, as_json=as_json, empty="No job class has a limit.")


@limits.command("set")
@click.argument("name")
@click.argument("number", type=click.IntRange(1, MAX_LIMIT))
@as_json
@with_scope(BackgroundJobsError, usage_errors=_USAGE)
async def set_limit(scope: Scope, name: str, number: int, *, as_json: bool) -> None:
    """Set the number of a limit in all workers, which deploys leave alone."""
    await _change(scope, name, number, as_json=as_json)


@limits.command("reset")
@click.argument("name")
@as_json
@with_scope(BackgroundJobsError, usage_errors=_USAGE)
async def reset_limit(scope: Scope, name: str, *, as_json: bool) -> None:
    """Go back to the number that the class gives a limit."""
    await _change(scope, name, None, as_json=as_json)


async def _change(scope: Scope, name: str, number: int | None, *, as_json: bool) -> None:
    await (await scope.get(LimitChanges)).set(name, number)
    status = (await (await scope.get(LimitReader)).find(name)).status
    default = "as in its class" if number is None else f"by default {status.default_limit}"
    sentence = f"The limit {name} is {status.limit}, {default}."
    print_result(status.model_dump(), sentence, as_json=as_json)
