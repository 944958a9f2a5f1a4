"""Examine a host: configuration, database, then the health and the findings of its modules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from modhost.checks import Finding, StartupError, rules
from modhost.database.errors import finding_of
from modhost.diagnosis.postgres_rights import check_rights
from modhost.diagnosis.postgres_server import HELD_FOR, check_clock, check_transactions
from modhost.runtime.host import Host
from modhost.runtime.lifespan import ready
from modhost.runtime.startup_checks import with_distributions
from modhost.runtime.system.findings import declared_findings, health_findings, module_findings

# No host starts without a usable database, whatever the configuration silences.
_NEVER_SILENT: Final = (
    rules.HOSTED_SERVICE_FAILED,
    rules.SINGLETON_FAILED,
    rules.PENDING_MIGRATIONS,
    rules.BROKEN_MIGRATIONS,
    rules.REVISION_FAILED,
    rules.DATABASE_UNREACHABLE,
)


@dataclass(frozen=True, slots=True)
class Examination:
    """The findings, errors first, without those that the configuration silences."""

    findings: Sequence[Finding]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(each.rule.severity == "error" for each in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return len(self.findings) - self.errors


async def examine(host: Host, held_for: timedelta = HELD_FOR) -> Examination:
    """Examine a host that was built and is not running, and its database, changing neither.

    Args:
        host: as `build_host` returns it.
        held_for: how long transactions may be open.

    """
    findings = declared_findings(host)
    failures: tuple[type[Exception], ...] = (*host.database.errors, OSError)
    try:
        async with host.database.open():
            await _refuse_missing_rights(host)
            await _refuse_pending(host)
            # Alembic would slow down the start of all other commands.
            from modhost.diagnosis.foreign_keys import check_foreign_keys
            from modhost.diagnosis.model_drift import check_models

            findings += await check_models(host.database, host.modules)
            findings += await check_foreign_keys(host.database, host.modules)
            findings += await check_clock(host.database, host.clock)
            findings += await check_transactions(host.database, held_for)
        async with ready(host):
            unwell = await health_findings(host)
            findings += unwell
            failing = {each.module for each in unwell if each.rule == rules.MODULE_UNHEALTHY}
            for found in host.modules:
                # Its health says what is wrong; more findings would have the same cause.
                if found.module.name not in failing:
                    findings += await module_findings(host, found)
    except StartupError as error:
        findings += error.findings
    except failures as error:
        findings.append(finding_of(error))
    return _reported(host, findings)


async def _refuse_missing_rights(host: Host) -> None:
    """Raise `StartupError` for rights that the role lacks: all else would fail for that reason."""
    missing = await check_rights(host.database, [each.module for each in host.migrations])
    if missing:
        raise StartupError(missing)


async def _refuse_pending(host: Host) -> None:
    """Raise `StartupError` for tables that are older than their modules.

    Where a start would migrate them, it is tried: elsewhere that could hold up those who use them.
    """
    from modhost.database.migrations import pending, rehearse

    due = await pending(host.database, host.migrations)
    if not due:
        return
    names = ", ".join(each.module for each in due)
    detail = f"the tables of {names} in {host.database} are not at their newest revision."
    rule, remedy = rules.PENDING_MIGRATIONS, f"Run `{host.migrate_command}`."
    missing = await _missing_to_migrate(host, [each.module for each in due])
    if host.migrates_itself and not missing:
        await rehearse(host.database, host.migrations)
        rule = rules.NOT_YET_MIGRATED
        remedy = f"The next start or `{host.migrate_command}` migrates them; then examine again."
    raise StartupError([Finding(rule, detail, remedy), *missing])


async def _missing_to_migrate(host: Host, schemas: Sequence[str]) -> list[Finding]:
    from modhost.database.migrations import rights_to_migrate

    async with host.database.reading() as session:
        connection = await session.connection()
        return await connection.run_sync(rights_to_migrate, schemas)


def _reported(host: Host, findings: Sequence[Finding]) -> Examination:
    silenced = host.configuration.host.silence
    audible = [
        each for each in findings if each.rule.code not in silenced or each.rule in _NEVER_SILENT
    ]
    reported = with_distributions(audible, host.modules)
    return Examination(sorted(reported, key=lambda each: each.rule.severity != "error"))
