"""`modhost jobs queues` and `modhost jobs types`: list, pause and resume."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import click

from modhost import Scope
from modhost.cli import as_json, print_result, show, with_scope
from modhost.durations import parse_duration
from modhost_background_jobs.contracts import BackgroundJobs, BackgroundJobsError, InvalidFlow
from modhost_background_jobs.inspection.queues import Queues, QueueStatus, UnknownJobType
from modhost_background_jobs.storage import QueueClock

_USAGE: Final = (InvalidFlow, UnknownJobType)
_COUNTS: Final = ("pending", "due", "running", "oldest_due_at", "finished_last_minute", "workers")
_until = click.option("--until", help="A time with a zone, or how long, e.g. 30m.")
_reason = click.option("--reason", default="", help="What people are shown.")


@click.group()
def queues() -> None:
    """Queues: list, pause, resume."""


@click.group()
def types() -> None:
    """Job types: list, pause, resume."""


@queues.command("list")
@as_json
@with_scope(BackgroundJobsError)
async def list_queues(scope: Scope, *, as_json: bool) -> None:
    """List the queues with what waits and runs, and those that are paused."""
    _show(await (await scope.get(Queues)).queues(), as_json=as_json)


@queues.command("pause")
@click.argument("name")
@_until
@_reason
@as_json
@with_scope(BackgroundJobsError, usage_errors=_USAGE)
async def pause_queue(
    scope: Scope, name: str, *, until: str | None, reason: str, as_json: bool
) -> None:
    """Start no job of a queue until it is resumed; running ones are left alone."""
    reader = await scope.get(Queues)
    is_known = any(each.name == name for each in await reader.queues())
    jobs, end = await scope.get(BackgroundJobs), await _end(scope, until)
    await jobs.pause_queue(name, until=end, reason=reason)
    _print_pause("queue", await reader.queue(name), as_json=as_json)
    if not is_known:
        click.echo("No class, job or worker names this queue yet; the first ones wait.", err=True)


@queues.command("resume")
@click.argument("name")
@as_json
@with_scope(BackgroundJobsError, usage_errors=_USAGE)
async def resume_queue(scope: Scope, name: str, *, as_json: bool) -> None:
    """End the pause of a queue; one that is not paused stays so."""
    await (await scope.get(BackgroundJobs)).resume_queue(name)
    _print_pause("queue", await (await scope.get(Queues)).queue(name), as_json=as_json)


@types.command("list")
@as_json
@with_scope(BackgroundJobsError)
async def list_types(scope: Scope, *, as_json: bool) -> None:
    """List the job types with what waits and runs, and those that are paused."""
    _show(await (await scope.get(Queues)).types(), as_json=as_json)


@types.command("pause")
@click.argument("name")
@_until
@_reason
@as_json
@with_scope(BackgroundJobsError, usage_errors=_USAGE)
async def pause_type(
    scope: Scope, name: str, *, until: str | None, reason: str, as_json: bool
) -> None:
    """Start no job of a type until it is resumed; running ones are left alone."""
    reader = await scope.get(Queues)
    await reader.job_type(name)
    jobs, end = await scope.get(BackgroundJobs), await _end(scope, until)
    await jobs.pause_job_type(name, until=end, reason=reason)
    _print_pause("job type", await reader.job_type(name), as_json=as_json)


@types.command("resume")
@click.argument("name")
@as_json
@with_scope(BackgroundJobsError, usage_errors=_USAGE)
async def resume_type(scope: Scope, name: str, *, as_json: bool) -> None:
    """End the pause of a type; one that is not paused stays so."""
    reader = await scope.get(Queues)
    before = await reader.job_type(name)
    await (await scope.get(BackgroundJobs)).resume_job_type(name)
    _print_pause("job type", before.resumed(), as_json=as_json)


async def _end(scope: Scope, until: str | None) -> datetime | None:
    """Return when a pause ends. Raises `InvalidFlow`."""
    if until is None:
        return None
    try:
        return (await scope.get(QueueClock)).now() + parse_duration(until)
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(until)
    except ValueError:
        msg = f"--until is {until!r}; give a time such as 2026-12-24T12:00Z, or how long, as 30m."
        raise InvalidFlow(msg) from None


def _show(found: Sequence[QueueStatus], *, as_json: bool) -> None:
    if as_json:
        show([each.model_dump() for each in found], as_json=True)
    else:
        show([_row(each) for each in found], as_json=False)


def _row(status: QueueStatus) -> dict[str, Any]:
    counts = {name: getattr(status, name) for name in _COUNTS}
    return {"name": status.name, **counts, "paused": _pause(status) if status.is_paused else None}


def _pause(status: QueueStatus) -> str:
    end = f" until {status.paused_until:%Y-%m-%d %H:%M:%SZ}" if status.paused_until else ""
    return f"by {status.paused_by}{end}{status.reason and f': {status.reason}'}"


def _print_pause(what: str, status: QueueStatus, *, as_json: bool) -> None:
    state = f"is paused {_pause(status)}" if status.is_paused else "is not paused"
    sentence = f"The {what} {status.name} {state}".rstrip(".")
    print_result(status.model_dump(), f"{sentence}.", as_json=as_json)
