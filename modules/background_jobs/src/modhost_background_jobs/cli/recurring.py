"""`modhost jobs recurring`: list, create, change, run and delete recurring jobs."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final, TypeVar

import click
from pydantic import ValidationError

from modhost import Scope
from modhost.cli import as_json, print_result, show, with_scope
from modhost_background_jobs.client.limits import as_uuid
from modhost_background_jobs.client.run_again import UnreadableInput, read_json
from modhost_background_jobs.client.schedules.editing import (
    InvalidSchedule,
    RecurringEdit,
    ScheduleEditing,
)
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    BackgroundJobsError,
    CatchUpPolicy,
    OverlapPolicy,
    RecurringJobId,
)

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS: Final = (
    click.option("--time-zone", help="The IANA name of its zone; UTC by default."),
    click.option("--data", help="The JSON of each run; empty for none."),
    click.option("--overlap", type=click.Choice(list(OverlapPolicy)), help="skip by default."),
    click.option("--catch-up", type=click.Choice(list(CatchUpPolicy)), help="one by default."),
    click.option("--max-attempts", type=int, help="Attempts before a run fails."),
    click.option("--timeout-seconds", type=float, help="How long one attempt may take."),
    click.option("--queue", help="The queue that runs wait in."),
    click.option("--priority", type=int, help="-100 to 100, higher first."),
    click.option("--tag", "tags", multiple=True, help="A tag; give it again for several."),
)


class UnknownRecurringJob(BackgroundJobsError):
    """No recurring job has this name, or those of several modules have it."""


async def recurring_id(scope: Scope, id_or_name: str) -> RecurringJobId:
    """Return the id of a recurring job. Raises `UnknownRecurringJob`."""
    schedules = await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs()
    id_ = as_uuid(id_or_name)
    # An id means its own recurring job, whatever another one is named.
    same = (each.id for each in schedules if each.id == id_)
    if (found := next(same, None)) is not None:
        return found
    named = [each for each in schedules if each.name == id_or_name]
    if len(named) == 1:
        return named[0].id
    if named:
        ids = ", ".join(f"{each.id} ({each.module_name})" for each in named)
        raise UnknownRecurringJob(f"Several modules have a recurring job {id_or_name!r}: {ids}.")
    if id_ is not None:
        return RecurringJobId(id_)
    near = get_close_matches(id_or_name, [each.name for each in schedules], 1)
    remedy = f"Did you mean {near[0]!r}?" if near else "`modhost jobs recurring list` shows all."
    raise UnknownRecurringJob(f"There is no recurring job {id_or_name!r}. {remedy}")


@click.group()
def recurring() -> None:
    """Recurring jobs: list, create, edit, run, enable, disable, toggle, delete."""


def _definition(command: Command) -> Command:
    """Give a command the options that define a recurring job."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@recurring.command("list")
@as_json
@with_scope(BackgroundJobsError)
async def list_recurring(scope: Scope, *, as_json: bool) -> None:
    """List all recurring jobs by name."""
    found = await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs()
    rows = [each.model_dump() for each in found]
    show(rows, as_json=as_json, empty="No recurring jobs.")


@recurring.command("create")
@click.argument("name")
@click.argument("job_type")
@click.argument("cron_expression")
@_definition
@as_json
@with_scope(BackgroundJobsError)
async def create_recurring(scope: Scope, /, *, as_json: bool, **given: Any) -> None:
    """Create a recurring job that no code owns."""
    editing = await scope.get(ScheduleEditing)
    try:
        created = await editing.create(RecurringEdit.model_validate(_given(given)))
    except (InvalidSchedule, ValidationError) as error:
        raise click.UsageError(_problem(error)) from None
    sentence = f"The recurring job {given['name']} is created: {created}."
    print_result({"id": str(created)}, sentence, as_json=as_json)


@recurring.command("edit")
@click.argument("id_or_name")
@click.option("--name", help="Its new name.")
@click.option("--job-type", help="The type of its runs.")
@click.option("--cron", "cron_expression", help="When it is due.")
@_definition
@as_json
@with_scope(BackgroundJobsError)
async def edit_recurring(scope: Scope, /, id_or_name: str, *, as_json: bool, **given: Any) -> None:
    """Change what is given of a recurring job that no code owns."""
    editing = await scope.get(ScheduleEditing)
    found = await recurring_id(scope, id_or_name)
    try:
        present = (await editing.present(found)).model_dump(warnings=False)
        await editing.edit(found, RecurringEdit.model_validate(present | _given(given)))
    except (InvalidSchedule, ValidationError) as error:
        raise click.UsageError(_problem(error)) from None
    sentence = f"The recurring job {id_or_name} is changed."
    print_result({"id": str(found)}, sentence, as_json=as_json)


@recurring.command("run")
@click.argument("id_or_name")
@as_json
@with_scope(BackgroundJobsError)
async def run_recurring(scope: Scope, id_or_name: str, *, as_json: bool) -> None:
    """Start a run of a recurring job now, besides its due times."""
    found = await recurring_id(scope, id_or_name)
    job_id = await (await scope.get(BackgroundJobs)).run_recurring_now(found)
    sentence = f"A run of the recurring job {id_or_name} is enqueued: {job_id}."
    print_result({"job_id": str(job_id)}, sentence, as_json=as_json)


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


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, the data read. Raises `UsageError`."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if (text := given.get("data")) is not None:
        try:
            given["data"] = read_json(text) if text.strip() else None
        except UnreadableInput as error:
            raise click.UsageError(f"--data: {error}") from None
    return given


def _problem(error: InvalidSchedule | ValidationError) -> str:
    if isinstance(error, InvalidSchedule):
        return str(error)
    return "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
