"""Registration of services: what modules offer, how it is made, and what it needs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from graphlib import TopologicalSorter
from typing import Any, Concatenate, TypeVar, overload

from typing_extensions import TypeForm

from modhost.checks import Finding, Rule, rules
from modhost.events import AnyEvent, EventHandler
from modhost.services.dependencies import Dependency, UnusableAnnotation, dependencies_of
from modhost.services.subscriptions import Subscription, UnusableSubscriber, plan


class Lifetime(Enum):
    """How long an instance lives."""

    SINGLETON = "singleton"
    SCOPED = "scoped"


@dataclass(frozen=True, slots=True)
class Registration:
    """A contract with the factory that makes its instances.

    `implementation` is what people know the service by: its class, or the function that makes it.
    What a function returns may be awaited, or a generator; an instance of a class is as it is.
    """

    contract: Any
    factory: Callable[..., Any]
    lifetime: Lifetime
    is_function: bool
    dependencies: tuple[Dependency, ...]
    module: str
    implementation: Callable[..., Any]


T = TypeVar("T")

Factory = Callable[..., T | Awaitable[T] | Iterator[T] | AsyncIterator[T]]


class ServiceRegistry:
    """Holds the registrations and contributions of all modules."""

    def __init__(self) -> None:
        self.registrations: dict[Any, Registration] = {}
        self.contributions: dict[Any, list[Any]] = {}
        self.findings: list[Finding] = []
        self._keys: dict[tuple[Any, str], str] = {}
        self._order: list[Any] = []
        """The construction order, while that of all registrations is known."""

    def of_module(self, module: str, version: str | None = None) -> "ServiceCollection":
        """Return the collection that a module is given; `version` is that of the module."""
        return ServiceCollection(self, module, version)

    def add(self, registration: Registration) -> None:
        """Add a registration; a second one of a contract is a finding."""
        first = self.registrations.setdefault(registration.contract, registration)
        self._order = []
        if first is not registration:
            detail = (
                f"{name_of(registration.contract)} is registered by {first.module} and again by "
                f"{registration.module}."
            )
            remedy = "Keep one of the two registrations, or use a contract of its own."
            self.findings.append(
                Finding(rules.DUPLICATE_SERVICE, detail, remedy, registration.module)
            )

    def contribute(self, module: str, kind: Any, item: Any, key: str | None) -> None:
        """Add a contribution; a second one under a key is a finding."""
        if key is not None:
            first = self._keys.get((kind, key))
            if first is not None:
                detail = f"{name_of(kind)} {key!r} comes from {first} and again from {module}."
                remedy = "Rename one of the two."
                self.findings.append(Finding(rules.DUPLICATE_CONTRIBUTION, detail, remedy, module))
                return
            self._keys[(kind, key)] = module
        self.contributions.setdefault(kind, []).append(item)

    def construction_order(self) -> list[Any]:
        """Return all contracts, each after those it needs. Raises `graphlib.CycleError`."""
        if self._order:
            return self._order
        sorter: TopologicalSorter[Any] = TopologicalSorter()
        for contract, registration in self.registrations.items():
            needed = [each.contract for each in registration.dependencies if not each.many]
            sorter.add(contract, *(each for each in needed if each in self.registrations))
        self._order = list(sorter.static_order())
        return self._order


class ServiceCollection:
    """One module's way to register services, given to its `configure_services`.

    A contract is a Protocol, an ABC or a class. An implementation is a class, whose constructor's
    parameters are resolved by their annotations, or a function with annotated parameters: plain,
    async, or a generator that yields once and cleans up after it.
    """

    def __init__(self, registry: ServiceRegistry, module: str, version: str | None = None) -> None:
        self._registry = registry
        self.module = module
        self.version = version

    def add_singleton(
        self, contract: TypeForm[T], implementation: Factory[T] | None = None
    ) -> None:
        """Register a service of which the host has one instance."""
        self._add(contract, implementation, Lifetime.SINGLETON)

    def add_scoped(self, contract: TypeForm[T], implementation: Factory[T] | None = None) -> None:
        """Register a service of which each request and each job attempt has its own instance."""
        self._add(contract, implementation, Lifetime.SCOPED)

    def add_instance(self, contract: TypeForm[T], instance: T) -> None:
        """Register an instance that exists already; the host does not close it."""
        self._add(contract, lambda: instance, Lifetime.SINGLETON, type(instance))

    def contribute(self, kind: type[T], item: T, *, key: str | None = None) -> None:
        """Add one of many values; a parameter `tuple[kind, ...]` receives those of all modules.

        Two values of a kind under one key are a start-up error.
        """
        self._registry.contribute(self.module, kind, item, key)

    def contributed(self, kind: type[T]) -> tuple[T, ...]:
        """Return the values of a kind that this module and those before it have added."""
        return tuple(self._registry.contributions.get(kind, ()))

    @overload
    def subscribe(
        self, event: type[AnyEvent], subscriber: type[EventHandler[AnyEvent]]
    ) -> None: ...

    @overload
    def subscribe(
        self, event: type[AnyEvent], subscriber: Callable[Concatenate[AnyEvent, ...], object]
    ) -> None: ...

    def subscribe(self, event: Any, subscriber: Any) -> None:
        """Have events of a class handled in the process that publishes them, after the commit.

        They may be lost: see `modhost.events`. `subscriber` is a class with
        `async def handle(self, event)`, which is made in a scope of its own, or a function, whose
        first parameter is the event and whose others are services.
        """
        try:
            planned = plan(event, subscriber, self.module)
        except UnusableSubscriber as error:
            self.refuse(rules.UNUSABLE_SUBSCRIBER, str(error), error.remedy)
            return
        if planned.is_class and subscriber not in self._registry.registrations:
            self.add_scoped(subscriber)
        key = f"{planned.name} of {name_of(event)}"
        self.contribute(Subscription, planned, key=key)

    def refuse(self, rule: Rule, detail: str, remedy: str) -> None:
        """Record a start-up error: what was to be registered cannot be."""
        self._registry.findings.append(Finding(rule, detail, remedy, self.module))

    def _add(
        self, contract: Any, implementation: Any, lifetime: Lifetime, known_as: Any = None
    ) -> None:
        factory = contract if implementation is None else implementation
        dependencies: tuple[Dependency, ...] = ()
        try:
            dependencies = dependencies_of(factory)
        except UnusableAnnotation as error:
            remedy = "Annotate it with the contract of the service that it needs."
            self.refuse(rules.UNANNOTATED_PARAMETER, str(error), remedy)
        self._registry.add(
            Registration(
                contract,
                factory,
                lifetime,
                known_as is None and not isinstance(factory, type),
                dependencies,
                self.module,
                known_as or factory,
            )
        )


def name_of(contract: Any) -> str:
    """Return the name of a contract for messages."""
    if isinstance(contract, type):
        return f"{contract.__module__}.{contract.__qualname__}"
    return str(contract)
