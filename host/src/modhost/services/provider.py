"""Resolving services: singletons of the host, and scopes for requests and job attempts."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable
from functools import partial
from typing import Any, Final, TypeVar

import anyio
from typing_extensions import TypeForm

from modhost.calls.own_loop import OwnLoop
from modhost.failures import describe, own_cancellation
from modhost.services.dependencies import Dependency
from modhost.services.instances import Instances, Making, leave
from modhost.services.registration import Lifetime, Registration, ServiceRegistry, name_of

logger = logging.getLogger(__name__)

T = TypeVar("T")

LEFT: Final = (
    "{} was asked for in a scope that was left: its services are closed. Ask before the end of the "
    "request, job or block, or open a scope of its own for what outlasts that."
)


class SingletonFailed(Exception):
    """What makes a singleton raised an error, which is the cause of this one."""

    def __init__(self, registration: Registration, error: Exception) -> None:
        self.module = registration.module
        raised = describe(error).rstrip(".")
        super().__init__(f"making {name_of(registration.contract)} raised {raised}.")


class ServiceProvider:
    """The built services. Start it before use: that makes the singletons, in order."""

    def __init__(self, registry: ServiceRegistry) -> None:
        self._registrations = dict(registry.registrations)
        self._contributions = {kind: tuple(v) for kind, v in registry.contributions.items()}
        self._order = registry.construction_order()
        self._singletons = Instances()
        self._loop = OwnLoop("The service provider")
        self._singletons.made[ServiceProvider] = self
        self._root = Scope(self, self._singletons)
        self._ready: dict[Any, Callable[[], Any]] = {}
        """The scoped classes that need singletons alone, with these: many a job is one."""

    @property
    def registrations(self) -> list[Registration]:
        """Everything that was registered."""
        return list(self._registrations.values())

    def contributed(self, kind: type[T]) -> tuple[T, ...]:
        """Return what all modules contributed of a kind."""
        return self._contributions.get(kind, ())

    async def start(self) -> None:
        """Create all singletons; `aclose` closes those created, also after an error.

        Raises `SingletonFailed`.
        """
        self._loop.adopt()
        for contract in self._order:
            registration = self._registrations.get(contract)
            if registration is not None and registration.lifetime is Lifetime.SINGLETON:
                try:
                    with own_cancellation():
                        await self._root.get(contract)
                except Exception as error:
                    raise SingletonFailed(registration, error) from error
        for contract, registration in self._registrations.items():
            is_class = registration.lifetime is Lifetime.SCOPED and not registration.is_function
            if is_class and all(map(self._is_shared, registration.dependencies)):
                arguments = await self._root.arguments(registration.dependencies)
                self._ready[contract] = partial(registration.factory, **arguments)

    def _is_shared(self, needed: Dependency) -> bool:
        """Return whether it is the same in each scope."""
        if needed.many or needed.contract in self._singletons.made:
            return True
        is_known = needed.contract is Scope or needed.contract in self._registrations
        return needed.optional and not is_known

    async def aclose(self) -> None:
        """Close the singletons in reverse order; one that cannot be is logged, and keeps no other.

        None learns of an error: that of the host is not theirs.
        """
        closers = self._singletons.closers
        # Without the shield a cancellation would end the clean-up at its first await.
        with anyio.CancelScope(shield=True):
            while closers:
                registration, manager = closers.pop()
                try:
                    with own_cancellation():
                        await leave(manager)
                except Exception:
                    contract, module = name_of(registration.contract), registration.module
                    logger.exception("The service %s of %s could not be closed.", contract, module)

    def scope(self) -> "OpenScope":
        """Open a scope: `async with provider.scope() as scope`."""
        return OpenScope(self)


class OpenScope:
    """The context of a scope; leaving it closes the services it made, even when cancelled.

    Services learn how it was left: their clean-up gets the error that ended the block.
    """

    __slots__ = ("_own", "_provider")

    def __init__(self, provider: ServiceProvider) -> None:
        self._provider = provider
        self._own = Instances()

    async def __aenter__(self) -> "Scope":
        self._provider._loop.check()
        scope = Scope(self._provider, self._own)
        self._own.made[Scope] = scope
        return scope

    async def __aexit__(
        self, _kind: object, error: BaseException | None, _traceback: object
    ) -> None:
        try:
            if self._own.closers:
                await self._own.close(error)
        finally:
            self._own.is_closed = True


class Scope:
    """Resolves services for one request, one job attempt, or one command."""

    __slots__ = ("_own", "_provider")

    def __init__(self, provider: ServiceProvider, own: Instances) -> None:
        self._provider = provider
        self._own = own

    async def get(self, contract: TypeForm[T]) -> T:
        """Return the service of a contract.

        Raises `LookupError` when there is none, and `RuntimeError` once the scope was left.
        """
        if self._own.is_closed:
            raise RuntimeError(LEFT.format(name_of(contract)))
        own = self._own.made.get(contract)
        if own is not None:
            return own  # type: ignore[no-any-return]
        shared = self._provider._singletons.made.get(contract)
        if shared is not None:
            return shared  # type: ignore[no-any-return]
        ready = self._provider._ready.get(contract)
        if ready is None:
            return await self._make(contract)  # type: ignore[no-any-return]
        made = self._own.made[contract] = ready()
        return made  # type: ignore[no-any-return]

    def all(self, kind: type[T]) -> tuple[T, ...]:
        """Return what all modules contributed of a kind."""
        return self._provider.contributed(kind)

    async def arguments(self, dependencies: Iterable[Dependency]) -> dict[str, Any]:
        """Resolve parameters. Raises `LookupError` when there is no service for one."""
        arguments = {}
        for needed in dependencies:
            if needed.many:
                arguments[needed.name] = self.all(needed.contract)
            elif not needed.optional or self._knows(needed.contract):
                arguments[needed.name] = await self.get(needed.contract)
        return arguments

    async def _make(self, contract: Any) -> Any:
        """Make a service, or wait for another task that does; a failure is that of its maker."""
        registration = self._provider._registrations.get(contract)
        if registration is None:
            msg = f"No module registered {name_of(contract)}."
            raise LookupError(msg)
        own = self._own
        is_shared = registration.lifetime is Lifetime.SINGLETON
        if is_shared and own is not self._provider._singletons:
            # While the singletons are made: it would be made again, and closed with this scope.
            return await self._provider._root.get(contract)
        task = asyncio.current_task()
        other = own.making.get(contract)
        if other is not None:
            if other.task is task:
                raise RuntimeError(f"{name_of(contract)} needs itself while it is made.")
            await other.wait()
            return await self.get(contract)
        making = own.making[contract] = Making(task)
        try:
            made = registration.factory(**await self.arguments(registration.dependencies))
            if registration.is_function:
                made = await self._finished(registration, made)
            own.made[contract] = made
        finally:
            del own.making[contract]
            if making.ended is not None:
                making.ended.set()
        if own.is_closed:
            # By another task: nobody else would clean it up.
            await own.close()
            return await self.get(contract)
        return made

    def _knows(self, contract: Any) -> bool:
        return contract in self._own.made or contract in self._provider._registrations

    async def _finished(self, registration: Registration, made: Any) -> Any:
        """Return what a factory has made: awaited, or the first item of a generator.

        The rest of a generator is the clean-up.
        """
        # Not all that can be awaited: a pool of connections, which may be a service, can be too.
        while isinstance(made, Coroutine | asyncio.Future):
            made = await made
        if isinstance(made, AsyncGenerator | Generator):
            return await self._own.enter(registration, made)
        return made
