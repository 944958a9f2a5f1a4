"""`modhost doctor`: what is wrong, or will be, before it hurts."""

import anyio
import click

from modhost.checks import Finding, StartupError, rules
from modhost.cli.context import host_of
from modhost.database import DatabaseError
from modhost.database.migrating import UnknownRevision, pending
from modhost.exposure import check_exposure
from modhost.health import Status, worst
from modhost.host import Host


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check everything that a start checks, then the database and each module's health."""
    host = host_of(context)
    findings, reports = anyio.run(_examine, host)
    for finding in findings:
        click.echo(f"{finding}\n")
    for name, status, detail in reports:
        click.echo(f"{name}: {status}{f'. {detail}' if detail else ''}")
    if findings or worst([status for _, status, _ in reports]) == "unhealthy":
        raise SystemExit(1)
    click.echo("Nothing is wrong.")


async def _examine(host: Host) -> tuple[list[Finding], list[tuple[str, Status, str]]]:
    findings = [
        Finding(rules.MODULE_NOT_IMPORTED, skipped.error, "", skipped.name, skipped.distribution)
        for skipped in host.skipped
    ]
    findings += check_exposure(host.configuration.host)
    try:
        async with host.database.open():
            due = await pending(host.database, host.migrations)
    except UnknownRevision as error:
        return [*findings, Finding(rules.PENDING_MIGRATIONS, str(error), "")], []
    except DatabaseError as error:
        return [*findings, Finding(rules.DATABASE_UNREACHABLE, str(error), "")], []
    if due:
        names = ", ".join(each.module for each in due)
        detail = f"the tables of {names} are not at their newest revision."
        remedy = "Run `modhost migrate`."
        return [*findings, Finding(rules.PENDING_MIGRATIONS, detail, remedy)], []
    try:
        async with host.ready():
            return findings, await _ask(host)
    except StartupError as error:
        return [*findings, *error.findings], []


async def _ask(host: Host) -> list[tuple[str, Status, str]]:
    reports: list[tuple[str, Status, str]] = []
    for found in host.modules:
        report = await host.check_health(found)
        if report is not None:
            reports.append((found.module.name, report.status, report.detail))
    return reports
