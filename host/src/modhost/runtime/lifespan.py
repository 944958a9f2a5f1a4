"""The lifespan of a host: what starts in which order, and stops in reverse."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from modhost.checks import Finding, StartupError, rules
from modhost.database import DatabaseUnreachable
from modhost.database.errors import finding_of
from modhost.plugins import FoundModule, hook_failed
from modhost.runtime.host import Host
from modhost.runtime.hosted_services import HostedServiceFailed, Supervisor

logger = logging.getLogger(__name__)


@asynccontextmanager
async def running(host: Host) -> AsyncIterator[None]:
    """Start everything in order, and stop it in reverse, each step bounded.

    Raises `StartupError` when the database cannot be used or a module cannot start.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(ready(host))
        for found in host.modules:
            await _start(host, found)
            stack.push_async_callback(_stop, host, found)
        await _start_hosted(host, stack)
        yield


@asynccontextmanager
async def ready(host: Host, *, migrated: bool = False) -> AsyncIterator[None]:
    """Open the database and make the services, without starting what runs on its own.

    Args:
        host: as `build_host` returns it.
        migrated: whether the process that started this one has migrated the tables.

    Raises:
        StartupError: when the database cannot be used.

    """
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(host.database.open())
        except DatabaseUnreachable as error:
            raise StartupError([finding_of(error)]) from error
        if not migrated:
            await _migrate_or_refuse(host)
        stack.push_async_callback(host.services.aclose)
        await host.services.start()
        yield


async def _migrate_or_refuse(host: Host) -> None:
    # This imports alembic: the processes of jobs and most commands start sooner without.
    from modhost.database.migrations import migrate, pending

    try:
        if host.migrates_itself:
            for done in await migrate(host.database, host.migrations):
                logger.info("The tables of %s are at revision %s.", done.module, done.wanted)
            return
        due = await pending(host.database, host.migrations)
    except host.database.errors as error:
        raise StartupError([finding_of(error)]) from error
    if due:
        raise StartupError(
            [
                Finding(
                    rules.PENDING_MIGRATIONS,
                    f"its tables are at revision {each.current or 'none'}, not {each.wanted}.",
                    "Run `modhost migrate`, then start again.",
                    each.module,
                )
                for each in due
            ]
        )


async def _start(host: Host, found: FoundModule) -> None:
    try:
        await host.call_hook(found, "on_start")
    except Exception as error:
        logger.exception("The hook on_start of %s failed.", found.module.name)
        raise StartupError([hook_failed(found, "on_start", error)]) from error


async def _stop(host: Host, found: FoundModule) -> None:
    grace = host.configuration.host.shutdown_grace.total_seconds()
    with anyio.move_on_after(grace, shield=True) as bound:
        try:
            await host.call_hook(found, "on_stop")
        except Exception:
            logger.exception("The hook on_stop of %s failed.", found.module.name)
    if bound.cancelled_caught:
        logger.error("The hook on_stop of %s took too long.", found.module.name)


async def _start_hosted(host: Host, stack: AsyncExitStack) -> None:
    scope = await stack.enter_async_context(host.scope())
    services = [await scope.get(contract) for contract in host.hosted]
    grace = host.configuration.host.shutdown_grace.total_seconds()
    host.supervisor = Supervisor(services, grace, host.clock)
    try:
        await stack.enter_async_context(host.supervisor.running())
    except HostedServiceFailed as error:
        logger.exception("A hosted service did not start.")
        finding = Finding(rules.HOSTED_SERVICE_FAILED, str(error), "The log says why.")
        raise StartupError([finding]) from error
