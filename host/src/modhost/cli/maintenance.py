"""`modhost migrate` and `modhost doctor`: bring a host up to date, and find what is wrong."""

from collections.abc import Sequence
from datetime import timedelta

import anyio
import click

from modhost.checks import Finding, StartupError
from modhost.cli.context import host_of
from modhost.cli.output import DurationType, as_json, counted, print_json, without_controls
from modhost.database.errors import finding_of
from modhost.database.failures import may_pass
from modhost.diagnosis import HELD_FOR, Examination, examine
from modhost.durations import format_duration


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 when something is due.")
@click.pass_context
def migrate(context: click.Context, *, check: bool) -> None:
    """Bring the tables of all modules to their newest revision."""
    # Alembic would slow down the start of all other commands.
    from modhost.database import migrations

    host = host_of(context)

    async def run() -> int:
        try:
            async with host.database.open():
                act = migrations.pending if check else migrations.migrate
                due = await act(host.database, host.migrations)
        except host.database.errors as error:
            raise StartupError([finding_of(error)], may_pass=may_pass(error)) from error
        # With another configuration it is another one.
        click.echo(f"The database is {host.database}.")
        for each in due:
            what = "is at revision" if check else "went from revision"
            then = "and needs" if check else "to"
            click.echo(f"{each.module} {what} {each.current or 'none'} {then} {each.wanted}.")
        if not due:
            click.echo("All tables are at their newest revision.")
        return len(due)

    if anyio.run(run) and check:
        raise SystemExit(1)


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
    numbers = ((examined.errors, "error"), (examined.warnings, "warning"))
    found = ", ".join(counted(number, noun) for number, noun in numbers if number)
    if examined.errors:
        return f"Found {found}."
    return f"Nothing is wrong; {found}." if found else "Nothing is wrong."


def _print_json(findings: Sequence[Finding]) -> None:
    rows = [
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
    print_json(rows)
