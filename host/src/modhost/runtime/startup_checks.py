"""Checks of an assembled host before it may start: what is declared, and who can reach it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from modhost import HostedService
from modhost.checks import Finding, StartupError, rules
from modhost.configuration import Configuration, HostOptions, is_loopback
from modhost.permissions import Permissions
from modhost.plugins import FoundModule
from modhost.runtime.events.checks import check_events
from modhost.services import ServiceRegistry, check_graph
from modhost.web import Branding, ModuleWeb, UnusableLogo, check_web

_MISSING: Final = (rules.MISSING_SERVICE, rules.UNPUBLISHED_EVENT)


def check_assembled(
    modules: Sequence[FoundModule],
    broken: Collection[str],
    registry: ServiceRegistry,
    permissions: Permissions,
    hosted: Sequence[tuple[FoundModule, type[HostedService]]],
    web: Sequence[ModuleWeb],
) -> list[Finding]:
    """Return what is wrong with the services, the routes, the events and the permissions.

    `broken` names the modules whose declarations are not complete.
    """
    affected = set(broken)
    for found in modules:  # in the order of their requirements
        if affected & set(found.module.requires):
            affected.add(found.module.name)
    findings = [
        finding
        for finding in (
            *check_graph(registry),
            *check_web(web, permissions, registry),
            *check_events(registry),
        )
        # What is missing only because a module is broken would hide why it is broken.
        if finding.rule not in _MISSING or finding.module not in affected
    ]
    for name, first, second in permissions.duplicates:
        detail = f"{name!r} is declared by {first} and again by {second}."
        remedy = "Rename one of the two."
        findings.append(Finding(rules.DUPLICATE_PERMISSION, detail, remedy, second))
    for found, contract in hosted:
        if found.module.name in broken:
            continue
        registered = registry.registrations.get(contract)
        if registered is None:
            detail = f"hosted_services names {contract.__qualname__}, which is not registered."
            remedy = "Register it with services.add_singleton in configure_services."
            findings.append(found.finding(rules.MISSING_SERVICE, detail, remedy))
        elif not any(map(_is_hosted, (contract, registered.implementation))):
            detail = f"hosted_services names {contract.__qualname__}, which is not a HostedService."
            remedy = "Derive it from modhost.HostedService."
            findings.append(found.finding(rules.HOOK_FAILED, detail, remedy))
    return findings


def _is_hosted(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, HostedService)


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


def branding_of(configuration: Configuration) -> tuple[Branding, list[Finding]]:
    """Return the branding of the host, and what is wrong with its logo."""
    try:
        return Branding.of(configuration.host), []
    except UnusableLogo as error:
        detail = f"{configuration.origin('host', 'logo')}: [host] logo is unusable: {error}"
        remedy = "Name the file of an image, or leave it out."
        return Branding(), [Finding(rules.BAD_VALUE, detail, remedy)]


def check_exposure(options: HostOptions) -> list[Finding]:
    """Return what is unsafe about a web host that other machines can reach.

    They reach it by the address that it is bound to, or through a declared proxy.
    """
    is_open = not is_loopback(options.bind_host)
    is_public = options.public is not None and not is_loopback(options.public.hostname)
    if not (is_open or is_public or options.behind_tls or options.trusted_proxies):
        return []
    if options.environment == "development":
        proxy = "public_url, behind_tls or trusted_proxies declare a proxy"
        detail = f"[host] {f'bind is {options.bind}' if is_open else proxy}"
        detail += " and [host] environment is 'development', which is for this machine alone."
        remedy = 'Set environment = "production", or bind to 127.0.0.1 and declare no proxy.'
        return [Finding(rules.EXPOSED_DEVELOPMENT, detail, remedy)]
    findings = []
    if is_open and not options.has_tls:
        detail = f"[host] bind is {options.bind}, where passwords and tokens can be read in "
        detail += "transit: the host itself speaks plain HTTP."
        remedy = "Let a proxy ahead of it end TLS, and set public_url to its "
        remedy += "address (or behind_tls = true); or bind to 127.0.0.1."
        findings.append(Finding(rules.EXPOSED_WITHOUT_TLS, detail, remedy))
    # With a public address nothing follows from the name that a request claims.
    if not options.allowed_hosts and options.public is None:
        detail = "[host] allowed_hosts is empty, so that a request may claim any name for the host."
        remedy = (
            "Set public_url to the address that browsers show; or name those that are answered "
        )
        remedy += 'to, e.g. allowed_hosts = ["jobs.example.org"], or ["*"] where the proxy checks '
        remedy += "the name."
        findings.append(Finding(rules.ANY_HOST_NAME, detail, remedy))
    if options.has_tls and not options.trusted_proxies:
        name = "behind_tls is true" if options.behind_tls else "public_url is set"
        detail = f"[host] {name} and trusted_proxies is empty: all requests seem to "
        detail += "come from the proxy, and one who guesses passwords makes everybody wait."
        remedy = 'Name the proxy, e.g. trusted_proxies = ["127.0.0.1"] for one on this machine.'
        findings.append(Finding(rules.UNNAMED_PROXY, detail, remedy))
    return findings
