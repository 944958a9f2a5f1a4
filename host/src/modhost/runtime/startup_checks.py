"""The checks of a host that is put together, before it is allowed to start."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from modhost.checks import Finding, StartupError, rules
from modhost.module import HostedService
from modhost.permissions import Permissions
from modhost.plugins.discovery import FoundModule
from modhost.services import ServiceRegistry, check_graph
from modhost.web import ModuleWeb, check_web


@dataclass(frozen=True, slots=True)
class Assembled:
    """What modules have declared; `broken` names those that could not say all they meant to."""

    modules: Sequence[FoundModule]
    broken: Collection[str]
    registry: ServiceRegistry
    permissions: Permissions
    hosted: Sequence[tuple[FoundModule, type[HostedService]]]
    web: Sequence[ModuleWeb]


def check_assembled(assembled: Assembled) -> list[Finding]:
    """Return what is wrong with the services, the routes and the permissions."""
    return [*_services_and_web(assembled), *_permissions(assembled), *_hosted(assembled)]


def refuse(
    findings: Sequence[Finding], silenced: Collection[str], modules: Sequence[FoundModule]
) -> None:
    """Raise `StartupError` with all that was found and is not silenced, if there is any."""
    brought_by = {found.module.name: found.distribution for found in modules}
    told = [
        replace(each, distribution=each.distribution or brought_by.get(each.module))
        if each.module
        else each
        for each in findings
        if each.rule.code not in silenced
    ]
    if told:
        raise StartupError(told)


def _services_and_web(assembled: Assembled) -> list[Finding]:
    broken = _with_dependents(assembled)
    found = check_graph(assembled.registry)
    found += check_web(assembled.web, assembled.permissions, assembled.registry)
    # What is missing only because a module is broken would hide why it is broken.
    return [
        finding
        for finding in found
        if finding.rule is not rules.MISSING_SERVICE or finding.module not in broken
    ]


def _permissions(assembled: Assembled) -> list[Finding]:
    return [
        Finding(
            rules.DUPLICATE_PERMISSION,
            f"{name!r} is declared by {first} and again by {second}.",
            "Rename one of the two.",
            second,
        )
        for name, first, second in assembled.permissions.duplicates
    ]


def _hosted(assembled: Assembled) -> list[Finding]:
    remedy = "Register it with services.add_singleton in configure_services."
    return [
        Finding(
            rules.MISSING_SERVICE,
            f"hosted_services names {contract.__qualname__}, which is not registered.",
            remedy,
            found.module.name,
        )
        for found, contract in assembled.hosted
        if found.module.name not in assembled.broken
        and contract not in assembled.registry.registrations
    ]


def _with_dependents(assembled: Assembled) -> set[str]:
    """Return the modules that are broken, and those that need one of them."""
    broken = set(assembled.broken)
    for found in assembled.modules:  # in the order of their requirements
        if broken & set(found.module.requires):
            broken.add(found.module.name)
    return broken
