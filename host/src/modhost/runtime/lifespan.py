"""The lifespan of a host: what starts in which order, and stops in reverse."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread

from modhost import HostedService, Scope
from modhost.administration.settings import SettingsFollower
from modhost.caller import ActingFor, start_of
from modhost.checks import Finding, StartupError, rules
from modhost.database.errors import finding_of
from modhost.database.failures import may_pass
from modhost.durations import format_duration
from modhost.failures import describe, failures, own_cancellation
from modhost.plugins import FoundModule, hook_failed
from modhost.runtime.events.dispatcher import EventDispatcher
from modhost.runtime.host import Host
from modhost.runtime.hosted_services import HostedServiceFailed, Supervisor
from modhost.runtime.start import Start
from modhost.runtime.startup_checks import with_distributions
from modhost.services import SingletonFailed, name_of
from modhost.telemetry import ErrorReports

logger = logging.getLogger(__name__)


_ALWAYS: Final[tuple[type[HostedService], ...]] = (EventDispatcher, SettingsFollower)


class _Late(Exception):
    """A hook that has not ended in time."""


@asynccontextmanager
async def running(host: Host, start: Start | None = None) -> AsyncIterator[None]:
    """Start everything in order, and stop it in reverse, each step bounded.

    Args:
        host: as `build_host` returns it.
        start: decides how long the start waits for what may pass; it does not unless given.

    Raises:
        StartupError: when the database cannot be used or a module cannot start.

    """
    start = start or Start(host.clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_opened(host, start, migrated=False))
        for found in host.modules:
            await _start(host, found, start)
            stack.push_async_callback(_stop, host, found)
        await stack.enter_async_context(_reporting(host.error_reports))
        await _start_hosted(host, stack, start, host.hosted)
        stack.callback(host.shutdown.begin)
        host.started_at = host.clock.now()
        yield


@asynccontextmanager
async def ready(
    host: Host, start: Start | None = None, *, migrated: bool = False
) -> AsyncIterator[None]:
    """Open the database and make the services, without starting what runs on its own.

    Subscribers of events run all the same, and are waited for; settings are followed.

    Args:
        host: as `build_host` returns it.
        start: as for `running`.
        migrated: whether the process that started this one has migrated the tables.

    Raises:
        StartupError: when the database cannot be used.

    """
    start = start or Start(host.clock)
    async with _opened(host, start, migrated=migrated), AsyncExitStack() as stack:
        await stack.enter_async_context(_reporting(host.error_reports))
        always = [each for each in _ALWAYS if each in host.hosted]
        if always:
            await _start_hosted(host, stack, start, always)
        yield


@asynccontextmanager
async def _reporting(reports: ErrorReports) -> AsyncIterator[None]:
    """Report what services survive too, and wait at the end until errors are reported."""
    try:
        with failures.reported_to(reports.report_of_service):
            yield
    finally:
        if reports.has_begun:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(reports.close)


@asynccontextmanager
async def _opened(host: Host, start: Start, *, migrated: bool) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        try:
            await start.until_done(
                "opening the database", lambda: stack.enter_async_context(host.database.open())
            )
            if not migrated:
                await start.until_done(
                    "the check of revisions, or the migration", lambda: _migrate_or_refuse(host)
                )
        except host.database.errors as error:
            raise StartupError([finding_of(error)], may_pass=may_pass(error)) from error
        stack.push_async_callback(host.services.aclose)
        try:
            await start.until_done("making services", host.services.start)
        except SingletonFailed as error:
            logger.exception("A singleton of %s could not be made.", error.module)
            remedy = (
                "Fix what it needs, or the module, or leave that out by [host.modules] disabled."
            )
            finding = Finding(rules.SINGLETON_FAILED, str(error), remedy, error.module)
            findings = with_distributions([finding], host.modules)
            raise StartupError(findings, may_pass=True) from error
        yield


async def _migrate_or_refuse(host: Host) -> None:
    # This imports alembic: the processes of jobs and most commands start sooner without.
    from modhost.database.migrations import migrate, pending

    due = await pending(host.database, host.migrations)
    if due and host.migrates_itself:
        for done in await migrate(host.database, host.migrations):
            logger.info("The tables of %s are at revision %s.", done.module, done.wanted)
    elif due:
        raise StartupError(
            [
                Finding(
                    rules.PENDING_MIGRATIONS,
                    f"its tables in {host.database} are at revision {each.current or 'none'}, "
                    f"not {each.wanted}.",
                    f"Run `{host.migrate_command}`, then start again.",
                    each.module,
                )
                for each in due
            ]
        )


async def _start(host: Host, found: FoundModule, start: Start) -> None:
    if not host.hooks.implements(found, "on_start"):
        return
    timeout = host.configuration.host.start_timeout

    async def call() -> None:
        caller = ActingFor(start_of(found.module.name))
        with anyio.move_on_after(timeout.total_seconds()) as bound, caller:
            await host.call_hook(found, "on_start")
        if bound.cancelled_caught:
            raise _Late(f"it took longer than {format_duration(timeout)}")

    try:
        await start.until_done(f"on_start of the module {found.module.name}", call)
    except Exception as error:
        logger.exception("The hook on_start of %s failed.", found.module.name)
        raise StartupError([hook_failed(found, "on_start", error)], may_pass=True) from error


async def _stop(host: Host, found: FoundModule) -> None:
    grace = host.configuration.host.shutdown_grace.total_seconds()
    with anyio.move_on_after(grace, shield=True) as bound:
        try:
            await host.call_hook(found, "on_stop")
        except Exception:
            logger.exception("The hook on_stop of %s failed.", found.module.name)
    if bound.cancelled_caught:
        logger.error("The hook on_stop of %s took too long.", found.module.name)


async def _start_hosted(
    host: Host, stack: AsyncExitStack, start: Start, hosted: Sequence[type[HostedService]]
) -> None:
    opened = host.scope()
    scope = await opened.__aenter__()
    stack.push_async_exit(partial(_close_hosted, opened))
    grace = host.configuration.host.shutdown_grace.total_seconds()
    try:
        services = [await _made(scope, contract) for contract in hosted]
        host.supervisor = Supervisor(services, grace, host.clock, host.error_reports)
        await stack.enter_async_context(host.supervisor.running(start))
    except HostedServiceFailed as error:
        logger.exception("A hosted service did not start.")
        finding = Finding(rules.HOSTED_SERVICE_FAILED, str(error), "The log says why.")
        raise StartupError([finding], may_pass=True) from error


async def _close_hosted(opened: AbstractAsyncContextManager[Scope], *error: Any) -> None:
    try:
        await opened.__aexit__(*error)
    except Exception:
        logger.exception("What hosted services need could not be closed.")


async def _made(scope: Scope, contract: type[HostedService]) -> HostedService:
    try:
        with own_cancellation():
            return await scope.get(contract)
    except Exception as error:
        raised = describe(error).rstrip(".")
        msg = f"Making the hosted service {name_of(contract)} raised {raised}."
        raise HostedServiceFailed(msg) from error
