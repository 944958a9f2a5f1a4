"""The order of modules: each after those that it requires."""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from modhost.checks import Finding, rules
from modhost.discovery import FoundModule


def order_modules(found: Sequence[FoundModule]) -> tuple[list[FoundModule], list[Finding]]:
    """Return the modules in order, and what is wrong with their requirements."""
    by_name = {each.module.name: each for each in found}
    findings = [
        _missing(each, name)
        for each in found
        for name in each.module.requires
        if name not in by_name
    ]
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for each in found:
        sorter.add(each.module.name, *(n for n in each.module.requires if n in by_name))
    try:
        names = list(sorter.static_order())
    except CycleError as error:
        return list(found), [*findings, _circle(by_name, error.args[1])]
    return [by_name[name] for name in names], findings


def _missing(each: FoundModule, name: str) -> Finding:
    detail = f"it requires {name!r}, which is not there."
    remedy = (
        f"Install the package that brings {name!r}, or enable it if [host.modules] disabled "
        f"names it."
    )
    return Finding(rules.MISSING_REQUIREMENT, detail, remedy, each.module.name, each.distribution)


def _circle(by_name: dict[str, FoundModule], cycle: Sequence[str]) -> Finding:
    # graphlib names each after the one that needs it.
    names = list(reversed(cycle))
    first = by_name[names[0]]
    detail = f"{' requires '.join(names)}."
    remedy = "Take one of them out of `requires`, or move what both need into a third module."
    return Finding(
        rules.CIRCULAR_REQUIREMENT, detail, remedy, first.module.name, first.distribution
    )
