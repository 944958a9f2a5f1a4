"""In which order services are made."""

from collections.abc import Iterable
from graphlib import TopologicalSorter
from typing import Any

from modhost.services.collection import ServiceRegistry
from modhost.services.registration import Dependency


def construction_order(registry: ServiceRegistry) -> list[Any]:
    """Return all contracts, each after those that it needs. Raises `graphlib.CycleError`."""
    sorter: TopologicalSorter[Any] = TopologicalSorter()
    for contract, registration in registry.registrations.items():
        sorter.add(contract, *_needed(registry, registration.dependencies))
    return list(sorter.static_order())


def _needed(registry: ServiceRegistry, dependencies: Iterable[Dependency]) -> list[Any]:
    return [
        needed.contract
        for needed in dependencies
        if not needed.many and needed.contract in registry.registrations
    ]
