"""`modhost doctor`: what is wrong, or will be, before it hurts."""

from collections.abc import Sequence
from datetime import timedelta

import anyio
import click

from modhost.checks import Finding, StartupError
from modhost.cli.context import host_of
from modhost.cli.output import as_json, print_json, without_controls
from modhost.cli.usage import DurationType
from modhost.diagnosis import HELD_FOR, Examination, examine
from modhost.durations import format_duration


@click.command()
@click.option(
    "--held-for",
    type=DurationType(),
    default=format_duration(HELD_FOR),
    show_default=True,
    help="How long a transaction may be open, e.g. 5m.",
)
@as_json
@click.pass_context
def doctor(context: click.Context, *, held_for: timedelta, as_json: bool) -> None:
    """Check everything that a start checks, then what takes longer, and each module's health."""
    try:
        host = host_of(context)
    except StartupError as error:
        if not as_json:
            raise
        _print_json(error.findings)
        raise SystemExit(2) from None
    examined = anyio.run(examine, host, held_for)
    if as_json:
        _print_json(examined.findings)
    else:
        for finding in examined.findings:
            click.echo(f"{finding.rule.severity}: {without_controls(str(finding))}\n")
        click.echo(_summary(examined))
    if examined.errors:
        raise SystemExit(1)


def _summary(examined: Examination) -> str:
    counted = [_counted(examined.errors, "error"), _counted(examined.warnings, "warning")]
    found = ", ".join(filter(None, counted))
    if examined.errors:
        return f"Found {found}."
    return f"Nothing is wrong; {found}." if found else "Nothing is wrong."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}" if number else ""


def _print_json(findings: Sequence[Finding]) -> None:
    print_json(
        [
            {
                "code": each.rule.code,
                "title": each.rule.title,
                "severity": each.rule.severity,
                "module": each.module,
                "distribution": each.distribution,
                "message": each.detail,
                "remedy": each.remedy,
            }
            for each in findings
        ]
    )
