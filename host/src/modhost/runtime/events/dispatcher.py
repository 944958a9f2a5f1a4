"""The dispatcher: runs the subscribers of this process, and waits for them at the shutdown."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Final

import anyio
import anyio.to_thread
from anyio.abc import TaskStatus

from modhost import HostedService
from modhost.caller import ActingFor, Caller
from modhost.calls.own_loop import OwnLoop
from modhost.calls.returned import awaited, is_generator
from modhost.configuration import Configuration
from modhost.events import Event
from modhost.failures import own_cancellation
from modhost.runtime.shutdown import ShutdownSignal
from modhost.services import ServiceProvider, Subscription
from modhost.telemetry import (
    ErrorOrigin,
    ErrorReports,
    LogContext,
    LoggedIn,
    continued,
    current_log_context,
    current_traceparent,
    trace_ids,
)

logger = logging.getLogger(__name__)

MIN_GRACE_SECONDS: Final = 1.0
"""What is left for subscribers, at least, when other services have used up the grace."""
STOP_TIMEOUT: Final = 1.0
MAX_THREADS: Final = 40
MAX_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event for one subscriber, on whose behalf it was published, and as part of what."""

    event: Event
    subscription: Subscription
    caller: Caller
    log_context: LogContext | None
    traceparent: str | None

    def __str__(self) -> str:
        shown = repr(self.event)
        shown = shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"
        return f"{self.subscription.name} of {self.subscription.module} ({shown})"

    @property
    def origin(self) -> ErrorOrigin:
        """Where its errors come from."""
        ids = self.log_context.log_fields() if self.log_context else {}
        event = type(self.event).__qualname__
        more = {"event": event, "module": self.subscription.module}
        ids = {**ids, **more, **trace_ids()}
        return ErrorOrigin(kind="event", name=self.subscription.name, ids=ids)


class EventDispatcher(HostedService):
    """Owns the tasks of all subscribers in this process; what they raise ends here."""

    name = "modhost.events"

    def __init__(
        self,
        provider: ServiceProvider,
        configuration: Configuration,
        shutdown: ShutdownSignal,
        reports: ErrorReports,
    ) -> None:
        self._reports = reports
        self._provider = provider
        self._grace = configuration.host.shutdown_grace.total_seconds()
        self._shutdown = shutdown
        self._loop = OwnLoop("The dispatcher of events")
        self._context: Context | None = None
        self._has_stopped = False
        self._early: list[Delivery] = []
        self._tasks: dict[asyncio.Task[None], Delivery] = {}
        # Their own, so that subscribers who hang take no thread from requests and jobs.
        self._threads = anyio.CapacityLimiter(MAX_THREADS)

    def dispatch(self, event: Event, subscriptions: Iterable[Subscription], caller: Caller) -> None:
        """Start a task for each subscriber; before the dispatcher runs, they wait for that."""
        self._loop.check()
        work = current_log_context(), current_traceparent()
        self._dispatch([Delivery(event, each, caller, *work) for each in subscriptions])

    def _dispatch(self, deliveries: Sequence[Delivery]) -> None:
        if self._has_stopped:
            for each in deliveries:
                logger.warning("The subscriber %s is not called: the host has stopped.", each)
            return
        if self._context is None:
            self._early += deliveries
            return
        for each in deliveries:
            # In the context of the dispatcher: that of a request or a job ends with it.
            task = asyncio.get_running_loop().create_task(
                self._deliver(each), context=self._context.copy()
            )
            self._tasks[task] = each
            task.add_done_callback(self._tasks.pop)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled, then wait for the subscribers that are at work."""
        self._loop.adopt()
        self._context = copy_context()
        early, self._early = self._early, []
        self._dispatch(early)
        task_status.started()
        began: float | None = None
        try:
            await self._shutdown.wait()
            began = anyio.current_time()
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                now = anyio.current_time()
                deadline = (began or now) + self._grace - STOP_TIMEOUT
                await self._drain(max(deadline, now + MIN_GRACE_SECONDS))
            self._has_stopped = True

    async def _drain(self, deadline: float) -> None:
        while self._tasks and (left := deadline - anyio.current_time()) > 0:
            await asyncio.wait(list(self._tasks), timeout=left)
        late = dict(self._tasks)
        for task, delivery in late.items():
            logger.error(
                "The subscriber %s has not ended within the grace; it is cancelled.", delivery
            )
            task.cancel()
        if late:
            _, ignoring = await asyncio.wait(late, timeout=STOP_TIMEOUT)
            for task in ignoring:
                logger.error(
                    "The subscriber %s ignores its cancellation; it is abandoned.", late[task]
                )

    async def _deliver(self, delivery: Delivery) -> None:
        with LoggedIn(delivery.log_context), continued(delivery.traceparent):
            try:
                with own_cancellation(), ActingFor(delivery.caller):
                    await self._call(delivery.event, delivery.subscription)
            except (Exception, SystemExit, KeyboardInterrupt) as error:
                logger.exception("The subscriber %s failed.", delivery)
                self._reports.report(error, delivery.origin)

    async def _call(self, event: Event, subscription: Subscription) -> None:
        async with self._provider.scope() as scope:
            if subscription.is_class:
                subscriber = await scope.get(subscription.subscriber)
                call = partial(subscriber.handle, event)
            else:
                arguments = await scope.arguments(subscription.dependencies)
                call = partial(subscription.subscriber, event, **arguments)
            if subscription.in_thread:
                result = await anyio.to_thread.run_sync(
                    call, abandon_on_cancel=True, limiter=self._threads
                )
            else:
                result = call()
            if is_generator(await awaited(result)):
                raise TypeError("it returned a generator, of which nothing has run")
