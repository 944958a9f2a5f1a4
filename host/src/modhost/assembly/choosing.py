"""Which modules a host is made of: those that are found, without those that are left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from modhost.checks import Finding, rules
from modhost.configuration import Configuration
from modhost.discovery import (
    Discovered,
    FoundModule,
    SkippedModule,
    check_modules,
    find_modules,
    of_instance,
)
from modhost.identity import IdentityModule
from modhost.module import Module
from modhost.ordering import order_modules

OIDC: Final = "oidc"
"""The module that the host brings itself, and that is there when it is configured."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The modules in the order in which they are configured, and what is wrong with them."""

    modules: list[FoundModule]
    skipped: list[SkippedModule]
    findings: list[Finding]


def choose_modules(configuration: Configuration, given: Sequence[Module] | None) -> Chosen:
    """Return the modules of a host: those of its own, and those given or else installed."""
    discovered = _discover(configuration, given)
    findings = list(discovered.findings)
    present, skipped = list(discovered.modules), list(discovered.skipped)
    if configuration.host.modules.on_error == "skip":
        findings = [each for each in findings if each.rule is not rules.MODULE_NOT_IMPORTED]
        present = _without_dependents(present, skipped)
    findings += _unknown(configuration, present, skipped)
    ordered, problems = order_modules(present)
    own, missing = _own(configuration)
    return Chosen([*own, *ordered], skipped, findings + problems + missing)


def _discover(configuration: Configuration, given: Sequence[Module] | None) -> Discovered:
    if given is None:
        return find_modules(configuration.host.modules.disabled)
    found = [of_instance(module) for module in given]
    return Discovered(found, [], check_modules(found))


def _own(configuration: Configuration) -> tuple[list[FoundModule], list[Finding]]:
    """Return the host's own modules; OpenID Connect is one where it is configured."""
    identity = of_instance(IdentityModule())
    disabled = configuration.host.modules.disabled
    if OIDC not in configuration.module_names() or OIDC in disabled:
        return [identity], []
    try:
        from modhost.oidc.module import OidcModule
    except ImportError as error:
        remedy = "Install it: pip install 'modhost[oidc]'."
        detail = f"[modules.{OIDC}] needs a package that is not installed: {error.name}."
        return [identity], [Finding(rules.MODULE_NOT_IMPORTED, detail, remedy, OIDC)]
    return [identity, of_instance(OidcModule())], []


def _unknown(
    configuration: Configuration, present: Sequence[FoundModule], skipped: Sequence[SkippedModule]
) -> list[Finding]:
    known = [found.module.name for found in present] + [each.name for each in skipped]
    known += [*configuration.host.modules.disabled, OIDC]
    return [_unknown_section(n, known) for n in configuration.module_names() if n not in known]


def _unknown_section(name: str, known: Sequence[str]) -> Finding:
    similar = get_close_matches(name, known, 1)
    remedy = (
        f"Did you mean [modules.{similar[0]}]?"
        if similar
        else (
            "Install the package that brings it, or remove the section; "
            "`modhost modules` lists what is installed."
        )
    )
    detail = f"[modules.{name}] configures a module that is not installed."
    return Finding(rules.UNKNOWN_MODULE, detail, remedy)


def _without_dependents(
    present: Sequence[FoundModule], skipped: list[SkippedModule]
) -> list[FoundModule]:
    """Leave out, and add to `skipped`, the modules that need one that was left out."""
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
