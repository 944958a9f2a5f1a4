"""What the commands share: a scope of the host, and errors as a line and an exit code."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import anyio
import click

from modhost.cli import host_scope, show, show_fields, without_controls
from modhost.services import Scope
from modhost_background_jobs.contracts import BackgroundJobsError, JobDetail
from modhost_background_jobs.monitoring.alerts import Alert

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


def tell_job(job: JobDetail) -> None:
    """Print a job: its fields, then the attempts with their errors, then the log."""
    fields = job.model_dump(exclude={"attempts", "logs", "error", "data"})
    show_fields(fields | {"data": json.dumps(job.data, ensure_ascii=False)})
    if job.error:
        _tell_block("error", job.error)
    if job.attempts:
        click.echo("\nattempts")
        attempts = [each.model_dump(exclude={"error"}) for each in job.attempts]
        show(attempts, as_json=False)
        for each in job.attempts:
            if each.error and each.error != job.error:
                _tell_block(f"error of attempt {each.number}", each.error)
    if job.logs:
        click.echo("\nlog")
        show([each.model_dump() for each in job.logs], as_json=False)


def tell_stats(counts: Mapping[str, Any], attention: Sequence[Alert]) -> None:
    """Print the counts, and what needs a look."""
    capped = counts["pending_is_capped"]
    shown = {name: value for name, value in counts.items() if name != "pending_is_capped"}
    show_fields(shown | {"pending": f"{counts['pending']}{'+' if capped else ''}"})
    for each in attention:
        click.echo(f"\n{without_controls(each.title)}: {without_controls(each.text)}")


def _tell_block(title: str, text: str) -> None:
    click.echo(f"\n{title}")
    for line in text.splitlines():
        click.echo(f"  {without_controls(line)}")
