"""`modhost migrate`."""

import anyio
import click

from modhost.checks import Finding, StartupError, rules
from modhost.cli.context import host_of
from modhost.database.errors import UnknownRevision, finding_of


@click.command("migrate")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 when something is due.")
@click.pass_context
def migrate_command(context: click.Context, *, check: bool) -> None:
    """Bring the tables of all modules to their newest revision."""
    # Alembic would slow down the start of all other commands.
    from modhost.database.migrations import migrate, pending

    host = host_of(context)

    async def run() -> int:
        try:
            async with host.database.open():
                act = pending if check else migrate
                due = await act(host.database, host.migrations)
        except UnknownRevision as error:
            raise StartupError([Finding(rules.PENDING_MIGRATIONS, str(error), "")]) from error
        except host.database.errors as error:
            raise StartupError([finding_of(error)]) from error
        for each in due:
            what = "is at revision" if check else "went from revision"
            then = "needs" if check else "to"
            click.echo(f"{each.module} {what} {each.current or 'none'} {then} {each.wanted}.")
        if not due:
            click.echo("All tables are at their newest revision.")
        return len(due)

    if anyio.run(run) and check:
        raise SystemExit(1)
