"""Selection of the modules of a host, in the order of their requirements."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Final

from modhost import Module
from modhost.checks import Finding, rules
from modhost.configuration import Configuration
from modhost.identity import IdentityModule
from modhost.plugins.discovery import Discovered, FoundModule, SkippedModule, discover, of_instance

OIDC: Final = "oidc"
"""A module of the host itself, which is present when it is configured."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The modules in the order of their configuration, and what is wrong with them."""

    modules: list[FoundModule]
    skipped: list[SkippedModule]
    findings: list[Finding]


def choose_modules(configuration: Configuration, given: Sequence[Module] | None) -> Chosen:
    """Return the modules of a host: its own, and those given or else installed."""
    discovered = discover(configuration.host.modules.disabled, given)
    findings = list(discovered.findings)
    present, skipped = list(discovered.modules), list(discovered.skipped)
    if configuration.host.modules.on_error == "skip":
        findings = [each for each in findings if each.rule is not rules.MODULE_NOT_IMPORTED]
        present = _without_dependents(present, skipped)
    findings += _unknown_names(configuration, discovered)
    ordered, problems = order_modules(present)
    own, missing = _own(configuration)
    return Chosen([*own, *ordered], skipped, findings + problems + missing)


def _own(configuration: Configuration) -> tuple[list[FoundModule], list[Finding]]:
    """Return the host's own modules, OpenID Connect among them where it is configured."""
    identity = of_instance(IdentityModule())
    disabled = configuration.host.modules.disabled
    if OIDC not in configuration.module_names() or OIDC in disabled:
        return [identity], []
    try:
        from modhost.identity.external.oidc.module import OidcModule
    except ImportError as error:
        remedy = "Install it: pip install 'modhost[oidc]'."
        detail = f"[modules.{OIDC}] needs a package that is not installed: {error.name}."
        return [identity], [Finding(rules.MODULE_NOT_IMPORTED, detail, remedy, OIDC)]
    return [identity, of_instance(OidcModule())], []


def _unknown_names(configuration: Configuration, discovered: Discovered) -> list[Finding]:
    """Return a finding for each configured or disabled module that is not installed."""
    present = [each.module.name for each in discovered.modules]
    known = [*present, *(each.name for each in discovered.skipped), *discovered.disabled, OIDC]
    origin = configuration.origin
    in_disabled = f"{origin('host', 'modules', 'disabled')}: [host.modules] disabled"
    named = [
        (name, f"{origin('modules', name)}: [modules.{name}] configures")
        for name in configuration.module_names()
    ]
    disabled = configuration.host.modules.disabled
    named += [(name, f"{in_disabled} names {name!r},") for name in disabled]
    findings = []
    for name, place in named:
        if name not in known:
            remedy = "Install the package that brings it, or remove it; "
            remedy += "`modhost modules` lists what is installed."
            if similar := get_close_matches(name, known, 1):
                remedy = f"Did you mean {similar[0]!r}?"
            detail = f"{place} a module that is not installed."
            findings.append(Finding(rules.UNKNOWN_MODULE, detail, remedy))
    return findings


def _without_dependents(
    present: Sequence[FoundModule], skipped: list[SkippedModule]
) -> list[FoundModule]:
    """Leave out the modules that require a skipped one, and add them to `skipped`."""
    left = list(present)
    while True:
        missing = {each.name for each in skipped}
        needing = [found for found in left if missing & set(found.module.requires)]
        if not needing:
            return left
        for found in needing:
            needed = ", ".join(sorted(missing & set(found.module.requires)))
            error = f"it requires {needed}, which was left out"
            skipped.append(SkippedModule(found.module.name, found.distribution, error))
            left.remove(found)


def order_modules(found: Sequence[FoundModule]) -> tuple[list[FoundModule], list[Finding]]:
    """Return the modules in order, and what is wrong with their requirements."""
    by_name = {each.module.name: each for each in found}
    findings: list[Finding] = []
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for each in found:
        sorter.add(each.module.name, *(name for name in each.module.requires if name in by_name))
        for name in each.module.requires:
            if name not in by_name:
                detail = f"it requires {name!r}, which is not there."
                similar = get_close_matches(name, by_name.keys() - {each.module.name}, 1)
                remedy = f"Did you mean {similar[0]!r}? If not, install " if similar else "Install "
                remedy += f"the package that brings {name!r}, or enable it if "
                remedy += "[host.modules] disabled names it."
                findings.append(each.finding(rules.MISSING_REQUIREMENT, detail, remedy))
    try:
        return [by_name[name] for name in sorter.static_order()], findings
    except CycleError as error:
        # graphlib names each after the one that needs it.
        names = list(reversed(error.args[1]))
        detail = f"{' requires '.join(names)}."
        remedy = "Take one of them out of `requires`, or move what both need into a third module."
        circle = by_name[names[0]].finding(rules.CIRCULAR_REQUIREMENT, detail, remedy)
        return list(found), [*findings, circle]
