"""The service registry: contracts, lifetimes, scopes."""

from modhost.services.dependencies import Dependency, dependency
from modhost.services.graph import check_graph, missing
from modhost.services.provider import OpenScope, Scope, ServiceProvider, SingletonFailed
from modhost.services.registration import ServiceCollection, ServiceRegistry, name_of
from modhost.services.subscriptions import Subscription, UnusableSubscriber, check_event

__all__ = [
    "Dependency",
    "OpenScope",
    "Scope",
    "ServiceCollection",
    "ServiceProvider",
    "ServiceRegistry",
    "SingletonFailed",
    "Subscription",
    "UnusableSubscriber",
    "check_event",
    "check_graph",
    "dependency",
    "missing",
    "name_of",
]
