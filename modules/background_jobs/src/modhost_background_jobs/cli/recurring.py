"""`modhost jobs recurring`: list, enable, disable and delete recurring jobs, by id or by name."""

from difflib import get_close_matches
from uuid import UUID

import click

from modhost import Scope
from modhost.cli import as_json, print_result, show, with_scope
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    BackgroundJobsError,
    RecurringJobId,
)


class UnknownRecurringJob(BackgroundJobsError):
    """No recurring job has this name, or those of several modules have it."""


async def recurring_id(scope: Scope, id_or_name: str) -> RecurringJobId:
    """Return the id of a recurring job. Raises `UnknownRecurringJob`."""
    schedules = await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs()
    named = [each for each in schedules if each.name == id_or_name]
    if len(named) == 1:
        return named[0].id
    if named:
        ids = ", ".join(f"{each.id} ({each.module_name})" for each in named)
        raise UnknownRecurringJob(f"Several modules have a recurring job {id_or_name!r}: {ids}.")
    try:
        return RecurringJobId(UUID(id_or_name))
    except ValueError:
        near = get_close_matches(id_or_name, [each.name for each in schedules], 1)
        remedy = (
            f"Did you mean {near[0]!r}?" if near else "`modhost jobs recurring list` shows all."
        )
        raise UnknownRecurringJob(f"There is no recurring job {id_or_name!r}. {remedy}") from None


@click.group()
def recurring() -> None:
    """Recurring jobs: list, enable, disable, toggle, delete."""


@recurring.command("list")
@as_json
@with_scope(BackgroundJobsError)
async def list_recurring(scope: Scope, *, as_json: bool) -> None:
    """List all recurring jobs by name."""
    found = await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs()
    rows = [each.model_dump() for each in found]
    show(rows, as_json=as_json, empty="No recurring jobs.")


@recurring.command("enable")
@click.argument("id_or_name")
@as_json
@with_scope(BackgroundJobsError)
async def enable_recurring(scope: Scope, id_or_name: str, *, as_json: bool) -> None:
    """Enable a recurring job; one that is enabled stays so."""
    await (await scope.get(BackgroundJobs)).enable_recurring(await recurring_id(scope, id_or_name))
    _print_state(id_or_name, is_enabled=True, as_json=as_json)


@recurring.command("disable")
@click.argument("id_or_name")
@as_json
@with_scope(BackgroundJobsError)
async def disable_recurring(scope: Scope, id_or_name: str, *, as_json: bool) -> None:
    """Disable a recurring job; one that is disabled stays so."""
    await (await scope.get(BackgroundJobs)).disable_recurring(await recurring_id(scope, id_or_name))
    _print_state(id_or_name, is_enabled=False, as_json=as_json)


@recurring.command("toggle")
@click.argument("id_or_name")
@as_json
@with_scope(BackgroundJobsError)
async def toggle_recurring(scope: Scope, id_or_name: str, *, as_json: bool) -> None:
    """Disable an enabled recurring job, or enable a disabled one."""
    found = await recurring_id(scope, id_or_name)
    is_enabled = await (await scope.get(BackgroundJobs)).toggle_recurring(found)
    _print_state(id_or_name, is_enabled=is_enabled, as_json=as_json)


@recurring.command("delete")
@click.argument("id_or_name")
@with_scope(BackgroundJobsError)
async def delete_recurring(scope: Scope, id_or_name: str) -> None:
    """Delete a recurring job; its runs stay."""
    found = await recurring_id(scope, id_or_name)
    await (await scope.get(BackgroundJobs)).remove_recurring(found)
    click.echo(f"The recurring job {id_or_name} is deleted.")


def _print_state(id_or_name: str, *, is_enabled: bool, as_json: bool) -> None:
    state = "enabled" if is_enabled else "disabled"
    sentence = f"The recurring job {id_or_name} is {state}."
    print_result({"is_enabled": is_enabled}, sentence, as_json=as_json)
