"""Examine a host: configuration, database, then the health and the findings of its modules."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

import anyio

from modhost.checks import Finding, StartupError, rules
from modhost.database.errors import finding_of
from modhost.diagnosis.postgres_rights import check_rights
from modhost.diagnosis.postgres_server import HELD_FOR, check_clock, check_transactions
from modhost.permissions import Permission
from modhost.plugins.discovery import FoundModule
from modhost.plugins.hook_calls import hook_failed
from modhost.runtime.health import module_health, readiness
from modhost.runtime.host import Host
from modhost.runtime.lifespan import ready
from modhost.runtime.startup_checks import check_exposure, with_distributions

logger = logging.getLogger(__name__)

DIAGNOSE_SECONDS: Final = 60.0
# No host starts without a usable database, whatever the configuration silences.
_NEVER_SILENT: Final = (
    rules.HOSTED_SERVICE_FAILED,
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
    findings = [
        *_left_out(host),
        *_shared_state(host),
        *check_exposure(host.configuration.host),
        *_unused_permissions(host),
    ]
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
            unwell = await _health(host)
            findings += unwell
            failing = {each.module for each in unwell if each.rule == rules.MODULE_UNHEALTHY}
            for found in host.modules:
                # Its health says what is wrong; more findings would have the same cause.
                if found.module.name not in failing:
                    findings += await _diagnose(host, found)
    except StartupError as error:
        findings += error.findings
    except failures as error:
        findings.append(finding_of(error))
    return _reported(host, findings)


def _left_out(host: Host) -> list[Finding]:
    remedy = "Fix or uninstall the package, or leave the module out by [host.modules] disabled."
    return [
        Finding(
            rules.MODULE_NOT_IMPORTED,
            f"it was left out: {skipped.error}.",
            remedy,
            skipped.name,
            skipped.distribution,
        )
        for skipped in host.skipped
    ]


def _shared_state(host: Host) -> list[Finding]:
    remedy = "Let the package leave that to the host, or accept it by [host] silence."
    return [
        found.finding(
            rules.SHARED_STATE, f"importing it changed {', '.join(found.changes)}.", remedy
        )
        for found in host.modules
        if found.changes
    ]


def _unused_permissions(host: Host) -> list[Finding]:
    """Return a finding for each permission that opens nothing: a route may have lost its check."""
    required = [each.permission for web in host.web for each in web.declared]
    required += [each.permission for web in host.web for each in web.menu.entries]
    names = {each.name for each in required if isinstance(each, Permission)}
    remedy = "Let a route ask for it, or remove it; if code asks for it, declare it with "
    remedy += "checked_in_code=True."
    return [
        Finding(
            rules.UNUSED_PERMISSION,
            f"no endpoint, page or menu entry asks for {permission.name!r}.",
            remedy,
            module,
        )
        for permission, module in host.permissions.declared_by()
        if permission.name not in names and not permission.checked_in_code
    ]


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
    detail = f"the tables of {names} are not at their newest revision."
    rule, remedy = rules.PENDING_MIGRATIONS, "Run `modhost migrate`."
    missing = await _missing_to_migrate(host, [each.module for each in due])
    if host.migrates_itself and not missing:
        await rehearse(host.database, host.migrations)
        rule = rules.NOT_YET_MIGRATED
        remedy = "The next start or `modhost migrate` migrates them; then examine again."
    raise StartupError([Finding(rule, detail, remedy), *missing])


async def _missing_to_migrate(host: Host, schemas: Sequence[str]) -> list[Finding]:
    from modhost.database.migrations import rights_to_migrate

    async with host.database.reading() as session:
        connection = await session.connection()
        return await connection.run_sync(rights_to_migrate, schemas)


async def _health(host: Host) -> list[Finding]:
    checks = {found.module.name: partial(module_health, host, found) for found in host.modules}
    parts = (await readiness(checks)).parts
    return [
        Finding(
            rules.MODULE_UNHEALTHY if part.status == "unhealthy" else rules.MODULE_DEGRADED,
            part.detail or "it gives no reason.",
            "",
            name,
        )
        for name, part in parts.items()
        if part.status != "healthy"
    ]


async def _diagnose(host: Host, found: FoundModule) -> list[Finding]:
    try:
        with anyio.fail_after(DIAGNOSE_SECONDS):
            findings: Sequence[Finding] = await host.call_hook(found, "diagnose") or ()
            return [replace(each, module=each.module or found.module.name) for each in findings]
    except TimeoutError:
        error = TimeoutError(f"it takes longer than {DIAGNOSE_SECONDS:g} s")
        return [hook_failed(found, "diagnose", error)]
    except Exception as error:
        logger.exception("The hook diagnose of %s failed.", found.module.name)
        return [hook_failed(found, "diagnose", error)]


def _reported(host: Host, findings: Sequence[Finding]) -> Examination:
    silenced = host.configuration.host.silence
    audible = [
        each for each in findings if each.rule.code not in silenced or each.rule in _NEVER_SILENT
    ]
    reported = with_distributions(audible, host.modules)
    return Examination(sorted(reported, key=lambda each: each.rule.severity != "error"))
