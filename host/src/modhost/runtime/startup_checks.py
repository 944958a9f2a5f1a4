"""Checks of an assembled host before it may start."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from modhost import HostedService
from modhost.checks import Finding, StartupError, rules
from modhost.permissions import Permissions
from modhost.plugins.discovery import FoundModule
from modhost.services import ServiceRegistry, check_graph
from modhost.web import ModuleWeb, check_web


@dataclass(frozen=True, slots=True)
class Assembled:
    """The declarations of the modules; those of `broken` modules are not complete."""

    modules: Sequence[FoundModule]
    broken: Collection[str]
    registry: ServiceRegistry
    permissions: Permissions
    hosted: Sequence[tuple[FoundModule, type[HostedService]]]
    web: Sequence[ModuleWeb]


def check_assembled(assembled: Assembled) -> list[Finding]:
    """Return what is wrong with the services, the routes and the permissions."""
    registry, permissions = assembled.registry, assembled.permissions
    affected = set(assembled.broken)
    for found in assembled.modules:  # in the order of their requirements
        if affected & set(found.module.requires):
            affected.add(found.module.name)
    findings = [
        finding
        for finding in check_graph(registry) + check_web(assembled.web, permissions, registry)
        # What is missing only because a module is broken would hide why it is broken.
        if finding.rule is not rules.MISSING_SERVICE or finding.module not in affected
    ]
    for name, first, second in permissions.duplicates:
        detail = f"{name!r} is declared by {first} and again by {second}."
        remedy = "Rename one of the two."
        findings.append(Finding(rules.DUPLICATE_PERMISSION, detail, remedy, second))
    for found, contract in assembled.hosted:
        if found.module.name not in assembled.broken and contract not in registry.registrations:
            detail = f"hosted_services names {contract.__qualname__}, which is not registered."
            remedy = "Register it with services.add_singleton in configure_services."
            findings.append(found.finding(rules.MISSING_SERVICE, detail, remedy))
    return findings


def refuse(
    findings: Iterable[Finding], silenced: Collection[str], modules: Sequence[FoundModule]
) -> None:
    """Raise `StartupError` with all findings that are not silenced, if there are any."""
    heard = [each for each in findings if each.rule.code not in silenced]
    if heard:
        raise StartupError(with_distributions(heard, modules))


def with_distributions(
    findings: Iterable[Finding], modules: Sequence[FoundModule]
) -> list[Finding]:
    """Add to each finding about a module the distribution that brings it."""
    brought_by = {found.module.name: found.distribution for found in modules}
    return [
        replace(each, distribution=each.distribution or brought_by.get(each.module or ""))
        for each in findings
    ]
