"""Print one job, or the state of the queue."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from modhost.cli import show, show_fields, without_controls
from modhost_background_jobs.contracts import JobAction, JobDetail
from modhost_background_jobs.inspection.alerts import Alert


def show_job(job: JobDetail, actions: Sequence[JobAction]) -> None:
    """Print a job: its fields, then what people did to it, attempts, steps, and the log."""
    fields = job.model_dump(exclude={"attempts", "steps", "logs", "error", "data", "result"})
    fields["tags"] = " ".join(job.tags)
    fields |= {"data": json.dumps(job.data, ensure_ascii=False)}
    if job.result is not None:
        fields |= {"result": json.dumps(job.result, ensure_ascii=False)}
    show_fields(fields)
    if job.error:
        _show_block("error", job.error)
    if actions:
        click.echo("\nactions")
        show([each.model_dump() for each in actions], as_json=False)
    if job.attempts:
        click.echo("\nattempts")
        attempts = [each.model_dump(exclude={"error"}) for each in job.attempts]
        show(attempts, as_json=False)
        for each in job.attempts:
            if each.error and each.error != job.error:
                _show_block(f"error of attempt {each.number}", each.error)
    if job.steps:
        click.echo("\nsteps")
        show([each.model_dump() for each in job.steps], as_json=False)
    if job.logs:
        click.echo("\nlog")
        logs = [each.model_dump() for each in job.logs]
        show(logs, as_json=False, multiline=["message"])


def show_stats(counts: Mapping[str, Any], attention: Sequence[Alert]) -> None:
    """Print the counts, and what needs attention."""
    capped = counts["pending_is_capped"]
    shown = {name: value for name, value in counts.items() if name != "pending_is_capped"}
    show_fields(shown | {"pending": f"{counts['pending']}{'+' if capped else ''}"})
    for each in attention:
        click.echo(f"\n{without_controls(each.title)}: {without_controls(each.text)}")


def _show_block(title: str, text: str) -> None:
    click.echo(f"\n{title}")
    for line in text.splitlines():
        click.echo(f"  {without_controls(line.expandtabs(4))}")
