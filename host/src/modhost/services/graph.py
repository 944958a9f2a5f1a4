"""Checks of the service graph: contracts that are missing, circular, or captive."""

from graphlib import CycleError
from typing import Final

from modhost.checks import Finding, rules
from modhost.services.dependencies import Dependency
from modhost.services.provider import Scope, ServiceProvider
from modhost.services.registration import Lifetime, Registration, ServiceRegistry, name_of

_BUILT_IN: Final = (Scope, ServiceProvider)
"""The services of every scope that need no registration."""


def check_graph(registry: ServiceRegistry) -> list[Finding]:
    """Return everything that is wrong with how the services depend on each other."""
    findings = list(registry.findings)
    for registration in registry.registrations.values():
        for needed in registration.dependencies:
            findings += _check_dependency(registry, registration, needed)
    try:
        registry.construction_order()
    except CycleError as error:
        cycle = [name_of(contract) for contract in error.args[1]]
        module = registry.registrations[error.args[1][0]].module
        detail = f"{' needs '.join(reversed(cycle))}."
        remedy = "Let one of them be created without the other, e.g. by a contract between them."
        findings.append(Finding(rules.CIRCULAR_SERVICE, detail, remedy, module))
    return findings


def missing(registry: ServiceRegistry, needed: Dependency, who: str, module: str) -> list[Finding]:
    """Return a finding when no module registered the contract that `who` needs."""
    known = needed.contract in registry.registrations or needed.contract in _BUILT_IN
    if known or needed.many or needed.optional:
        return []
    detail = f"{who} needs {name_of(needed.contract)} (parameter {needed.name!r})"
    detail += ", which no module registered."
    remedy = (
        "Install and enable the module that offers it, name that module in `requires`, or "
        "register the service in configure_services."
    )
    return [Finding(rules.MISSING_SERVICE, detail, remedy, module)]


def _check_dependency(
    registry: ServiceRegistry, registration: Registration, needed: Dependency
) -> list[Finding]:
    who = name_of(registration.contract)
    found = registry.registrations.get(needed.contract)
    if registration.lifetime is Lifetime.SINGLETON and needed.contract is Scope:
        return _check_scope(who, registration, needed)
    if needed.many or found is None:
        return missing(registry, needed, who, registration.module)
    if registration.lifetime is Lifetime.SINGLETON and found.lifetime is Lifetime.SCOPED:
        detail = (
            f"the singleton {who} needs {name_of(needed.contract)} of {found.module}, which lives "
            f"only as long as one request or job."
        )
        remedy = "Make the singleton scoped, or let it open a scope when it needs the service."
        return [Finding(rules.CAPTIVE_SERVICE, detail, remedy, registration.module)]
    return []


def _check_scope(who: str, registration: Registration, needed: Dependency) -> list[Finding]:
    if needed.optional:
        return []
    detail = (
        f"the singleton {who} needs a Scope (parameter {needed.name!r}), which lives only as long "
        f"as one request or job."
    )
    remedy = (
        "Make the singleton scoped, or let it take modhost.services.ServiceProvider, and open a "
        "scope by `async with provider.scope()` when it needs one."
    )
    return [Finding(rules.CAPTIVE_SERVICE, detail, remedy, registration.module)]
