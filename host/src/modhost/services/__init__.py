"""The service registry: contracts, lifetimes, scopes."""

from modhost.services.graph import check_graph, missing
from modhost.services.provider import Scope, ServiceProvider
from modhost.services.registration import (
    Dependency,
    ServiceCollection,
    ServiceRegistry,
    dependency,
    name_of,
)

__all__ = [
    "Dependency",
    "Scope",
    "ServiceCollection",
    "ServiceProvider",
    "ServiceRegistry",
    "check_graph",
    "dependency",
    "missing",
    "name_of",
]
