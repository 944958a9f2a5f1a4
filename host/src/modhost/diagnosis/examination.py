"""The whole examination of a host, in the order in which one thing needs the other."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

import anyio

from modhost.checks import Finding, StartupError, rules
from modhost.database.errors import UnknownRevision, finding_of
from modhost.diagnosis.clock_skew import check_clock
from modhost.diagnosis.held_transactions import HELD_FOR, check_transactions
from modhost.diagnosis.unused_permissions import check_permissions
from modhost.plugins.discovery import FoundModule
from modhost.plugins.hook_calls import hook_failed
from modhost.runtime.exposure import check_exposure
from modhost.runtime.health import module_health, readiness
from modhost.runtime.host import Host
from modhost.runtime.lifespan import ready
from modhost.runtime.startup_checks import with_distributions

logger = logging.getLogger(__name__)

DIAGNOSE_SECONDS: Final = 60.0
# Without a database that can be used no host starts, whatever the configuration silences.
_ALWAYS_TOLD: Final = (
    rules.HOSTED_SERVICE_FAILED,
    rules.PENDING_MIGRATIONS,
    rules.DATABASE_UNREACHABLE,
)


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, errors first; rules that the configuration silences are left out."""

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
    """Look at a host that was built, and is not running, and at its database.

    It changes nothing in the database, and does not migrate it.

    Args:
        host: as `build_host` gives it.
        held_for: for how long transactions may be open.

    """
    findings = [
        *_left_out(host),
        *check_exposure(host.configuration.host),
        *check_permissions(host.web, host.permissions),
    ]
    failures: tuple[type[Exception], ...] = (*host.database.errors, OSError)
    try:
        async with host.database.open():
            await _refuse_pending(host)
            # Alembic would slow down the start of all other commands.
            from modhost.diagnosis.migrated_models import check_models

            findings += await check_models(host.database, host.modules)
            findings += await check_clock(host.database, host.clock)
            findings += await check_transactions(host.database, held_for)
        async with ready(host):
            unwell = await _health(host)
            findings += unwell
            failing = {each.module for each in unwell if each.rule == rules.MODULE_UNHEALTHY}
            for found in host.modules:
                # Its health has said what is wrong, and more would fail for the same reason.
                if found.module.name not in failing:
                    findings += await _diagnose(host, found)
    except StartupError as error:
        findings += error.findings
    except UnknownRevision as error:
        findings.append(Finding(rules.PENDING_MIGRATIONS, str(error), ""))
    except failures as error:
        findings.append(finding_of(error))
    return _told(host, findings)


def _left_out(host: Host) -> list[Finding]:
    remedy = "Mend or uninstall the package, or leave the module out by [host.modules] disabled."
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


async def _refuse_pending(host: Host) -> None:
    """Raise `StartupError` for tables that are older than their modules."""
    from modhost.database.migrations import pending

    due = await pending(host.database, host.migrations)
    if not due:
        return
    names = ", ".join(each.module for each in due)
    detail = f"the tables of {names} are not at their newest revision."
    rule, remedy = rules.PENDING_MIGRATIONS, "Run `modhost migrate`."
    if host.migrates_itself:
        rule = rules.NOT_YET_MIGRATED
        remedy = "The next start migrates them, or `modhost migrate` does; then ask again."
    raise StartupError([Finding(rule, detail, remedy)])


async def _health(host: Host) -> list[Finding]:
    checks = {found.module.name: partial(module_health, host, found) for found in host.modules}
    parts = (await readiness(checks)).parts
    return [
        Finding(
            rules.MODULE_UNHEALTHY if part.status == "unhealthy" else rules.MODULE_DEGRADED,
            part.detail or "it does not say why.",
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


def _told(host: Host, findings: Sequence[Finding]) -> Examination:
    silenced = host.configuration.host.silence
    heard = [
        each for each in findings if each.rule.code not in silenced or each.rule in _ALWAYS_TOLD
    ]
    reported = with_distributions(heard, host.modules)
    return Examination(sorted(reported, key=lambda each: each.rule.severity != "error"))
