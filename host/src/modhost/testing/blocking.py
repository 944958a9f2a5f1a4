"""A host for tests that are plain functions: it runs in a thread, and calls wait for it."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from modhost import Clock, Module, Scope
from modhost.module import Role
from modhost.runtime.host import Host
from modhost.testing.running import RunningHost, running_host

if TYPE_CHECKING:
    import httpx2

P = ParamSpec("P")
T = TypeVar("T")


class BlockingHost:
    """A host under test that runs on an event loop in a thread of its own."""

    def __init__(self, portal: BlockingPortal, running: RunningHost) -> None:
        self.portal = portal
        """Calls functions on the event loop of the host: `portal.call(function, *arguments)`."""
        self.running = running
        """The same host, for code on its event loop."""

    @property
    def host(self) -> Host:
        """The host itself."""
        return self.running.host

    def run(
        self,
        function: Callable[Concatenate[Scope, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call an async function with a scope of services, and wait for what it returns.

        Args:
            function: an `async def` whose first parameter is the scope.
            *args: its other arguments.
            **kwargs: its other arguments by name.

        """

        async def call() -> T:
            async with self.running.scope() as scope:
                return await function(scope, *args, **kwargs)

        return self.portal.call(call)

    def token(self, *permissions: str, roles: Collection[str] = ()) -> str:
        """Return a new API token with these permissions."""
        return self.portal.call(lambda: self.running.token(*permissions, roles=roles))

    def client(self, *permissions: str, roles: Collection[str] = ()) -> "httpx2.Client":
        """Return a client of the application, with a token unless nothing is given.

        It needs the package httpx2. It holds no connections that would have to be closed.
        """
        from modhost.testing.blocking_client import client_of

        return client_of(self.portal, self.running, permissions, roles)


@contextmanager
def blocking_host(
    modules: Sequence[Module] | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    role: Role = "web",
    clock: Clock | None = None,
) -> Iterator[BlockingHost]:
    """Run a host as `running_host` does, in a thread.

    Args:
        modules: instead of all that are installed.
        config: the tables of the configuration file, e.g. `{"modules": {"reports": {…}}}`.
        role: as `modhost run` (`web`) or as `modhost worker` (`worker`).
        clock: the source of the time, this machine's unless given.

    Raises:
        StartupError: as the command line would report it.

    """
    running = running_host(modules, config=config, role=role, clock=clock)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running) as host:
        yield BlockingHost(portal, host)
