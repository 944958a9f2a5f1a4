"""Discovery of modules by the entry points of installed packages, and checks of what they say."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from pydantic import BaseModel

from modhost import Module
from modhost.checks import Finding, Rule, rules
from modhost.plugins.module_attributes import misspelt_attributes, unusable_attributes
from modhost.plugins.process_state import changed_since, process_state

GROUP: Final = "modhost.modules"
# Two underscores separate the parts of the name of an environment variable.
_NAME: Final = re.compile(r"(?!.*__|pg_|sqlite_)[a-z][a-z0-9_]{0,40}(?<!_)")
_RESERVED: Final = ("modhost", "host", "health", "static", "sqlite", "information_schema")
NAMING: Final = (
    "Name it with at most 41 lower-case letters, digits and underscores, beginning with a letter, "
    "without two underscores in a row or one at the end, which environment variables need, nor "
    "with pg_ or sqlite_, which the databases keep for themselves; "
    f"{', '.join(_RESERVED)} are taken."
)


class _Unknown(BaseModel):
    """Options of a module whose own are unusable: whatever is configured cannot be judged."""


@dataclass(frozen=True, slots=True)
class FoundModule:
    """A module, with the distribution that brings it.

    `changes` names what its import has changed for the whole process.
    """

    module: Module
    entry_point: str
    distribution: str
    version: str
    changes: tuple[str, ...] = ()

    @property
    def version_in_use(self) -> str:
        """The version of the module, or that of its distribution where it has none of its own."""
        own = self.module.version
        return self.version if own == Module.version and self.version else own

    def finding(self, rule: Rule, detail: str, remedy: str) -> Finding:
        """Return a finding about this module."""
        name = self.module.name or self.entry_point
        return Finding(rule, detail, remedy, name, self.distribution)


@dataclass(frozen=True, slots=True)
class SkippedModule:
    """A module that could not be imported."""

    name: str
    distribution: str
    error: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """The modules found; each skipped one is among the findings too.

    `disabled` names those that are installed and disabled.
    """

    modules: list[FoundModule]
    skipped: list[SkippedModule]
    findings: list[Finding]
    disabled: list[str]


def find_modules(disabled: Collection[str] = ()) -> Discovered:
    """Import the installed modules that are not disabled, each independently of the others."""
    installed = entry_points(group=GROUP)
    found: list[FoundModule] = []
    skipped: list[SkippedModule] = []
    findings: list[Finding] = []
    left_out: list[str] = []
    for entry in sorted(installed, key=lambda entry: entry.name):
        if entry.name in disabled:
            left_out.append(entry.name)
            continue
        loaded = _load(entry)
        if isinstance(loaded, SkippedModule):
            skipped.append(loaded)
            remedy = (
                "Fix or uninstall the package, leave the module out by [host.modules] disabled, or "
                'start without it by [host.modules] on_error = "skip".'
            )
            detail = f"importing it raised {loaded.error}."
            rule = rules.MODULE_NOT_IMPORTED
            findings.append(Finding(rule, detail, remedy, loaded.name, loaded.distribution))
        elif isinstance(loaded, Finding):
            findings.append(loaded)
        else:
            found.append(loaded)
    return Discovered(found, skipped, findings + check_modules(found), left_out)


def discover(disabled: Collection[str], given: Sequence[Module] | None) -> Discovered:
    """Return the modules given, or else those that are installed, without the disabled ones."""
    if given is None:
        return find_modules(disabled)
    _refuse_others(given)
    left_out = [module.name for module in given if module.name in disabled]
    found = [of_instance(module) for module in given if module.name not in disabled]
    return Discovered(found, [], check_modules(found), left_out)


def _refuse_others(given: Sequence[object]) -> None:
    for each in given:
        if not isinstance(each, Module):
            meant = f"{each.__name__}(), an instance" if isinstance(each, type) else "a module"
            raise TypeError(f"Among the modules is {each!r}; pass {meant}.")


def of_instance(module: Module) -> FoundModule:
    """Return a module that is given rather than found."""
    distribution = type(module).__module__.partition(".")[0]
    return FoundModule(module, str(module.name), distribution, module.version)


def is_usable_name(name: str) -> bool:
    """Return whether a module can have this name."""
    return bool(_NAME.fullmatch(name)) and name not in _RESERVED


def check_modules(found: Sequence[FoundModule]) -> list[Finding]:
    """Return what is wrong with the attributes of modules, their names and prefixes above all."""
    findings = [finding for each in found for finding in _check_attributes(each)]
    names: dict[str, FoundModule] = {}
    prefixes: dict[str, FoundModule] = {}
    for each in found:
        if not is_usable_name(each.module.name):
            detail = f"the name is {each.module.name!r}."
            findings.append(each.finding(rules.MODULE_NAME, detail, NAMING))
        elif each.module.name != each.entry_point:
            findings.append(_misnamed(each))
        first = names.setdefault(each.module.name, each)
        if first is not each:
            detail = f"{each.distribution} and {first.distribution} both bring a module "
            detail += f"{each.module.name!r}."
            findings.append(each.finding(rules.DUPLICATE_MODULE, detail, "Uninstall one."))
        for prefix in filter(None, (each.module.route_prefix, each.module.view_prefix)):
            if not prefix.startswith("/") or prefix.endswith("/"):
                detail = f"the prefix {prefix!r} must begin with a slash and end without one."
                remedy = f"Write {'/' + prefix.strip('/')!r}."
                findings.append(each.finding(rules.MALFORMED_PREFIX, detail, remedy))
            owner = prefixes.setdefault(prefix, each)
            if owner is not each:
                detail = f"{prefix!r} is the prefix of {owner.module.name} too."
                remedy = "Give one of the two another prefix."
                findings.append(each.finding(rules.DUPLICATE_PREFIX, detail, remedy))
    return findings


def _misnamed(found: FoundModule) -> Finding:
    """Return the finding for an entry point by whose name nobody knows the module."""
    name = found.module.name
    detail = f"its entry point is {found.entry_point!r}: `disabled`, and `on_error` when it cannot "
    detail += "be imported, go by that name."
    remedy = f"Name the entry point {name!r}, in the pyproject.toml of {found.distribution}."
    return found.finding(rules.ENTRY_POINT_NAME, detail, remedy)


def _check_attributes(found: FoundModule) -> Iterator[Finding]:
    """Yield what is wrong with attributes; unusable ones are as if unset, to check all others."""
    unset = {"name": found.entry_point, "options": _Unknown}
    unusable = list(unusable_attributes(found.module))
    for attribute, _, _ in unusable:
        setattr(found.module, attribute, unset.get(attribute, getattr(Module, attribute)))
    for _, detail, remedy in unusable:
        yield found.finding(rules.BAD_ATTRIBUTE, detail, remedy)
    for _, detail, remedy in misspelt_attributes(found.module):
        yield found.finding(rules.UNKNOWN_ATTRIBUTE, detail, remedy)


def _load(entry: EntryPoint) -> FoundModule | SkippedModule | Finding:
    distribution = entry.dist.name if entry.dist else "unknown"
    version = entry.dist.version if entry.dist else ""
    before = process_state()
    try:
        target = entry.load()
        module = target() if isinstance(target, type) and issubclass(target, Module) else target
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an import raises
        reason = f"{type(error).__name__}: {error}".removesuffix(".")
        return SkippedModule(entry.name, distribution, reason)
    if not isinstance(module, Module):
        detail = f"the entry point {entry.name!r} names {entry.value}, which is {target!r}."
        remedy = "Let it name a subclass of modhost.Module."
        return Finding(rules.NOT_A_MODULE, detail, remedy, entry.name, distribution)
    return FoundModule(module, entry.name, distribution, version, changed_since(before))
