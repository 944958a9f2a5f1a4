"""What is wrong with a host, as it was assembled and as its modules report."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import anyio

from modhost.checks import Finding, rules
from modhost.failures import own_cancellation
from modhost.permissions import Permission
from modhost.plugins import FoundModule, hook_failed
from modhost.runtime.health import module_health, readiness
from modhost.runtime.host import Host
from modhost.runtime.startup_checks import branding_of, check_exposure

logger = logging.getLogger(__name__)

DIAGNOSE_SECONDS: Final = 60.0


def declared_findings(host: Host) -> list[Finding]:
    """Return what is wrong with what the configuration and the modules declare."""
    return [
        *_left_out(host),
        *_shared_state(host),
        *check_exposure(host.configuration.host),
        *branding_of(host.configuration)[1],
        *_unused_permissions(host),
    ]


async def health_findings(host: Host) -> list[Finding]:
    """Return a finding for each module that is not healthy."""
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


async def module_findings(host: Host, found: FoundModule) -> list[Finding]:
    """Return what a module finds by its hook `diagnose`, within a minute."""
    try:
        with anyio.move_on_after(DIAGNOSE_SECONDS), own_cancellation():
            findings: Sequence[Finding] = await host.call_hook(found, "diagnose") or ()
            return [replace(each, module=each.module or found.module.name) for each in findings]
    except Exception as error:
        logger.exception("The hook diagnose of %s failed.", found.module.name)
        return [hook_failed(found, "diagnose", error)]
    late = TimeoutError(f"it takes longer than {DIAGNOSE_SECONDS:g} s")
    return [hook_failed(found, "diagnose", late)]


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
