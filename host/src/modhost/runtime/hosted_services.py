"""The supervision of hosted services: started in order, restarted after a crash, stopped."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

import anyio
from anyio.abc import TaskGroup, TaskStatus

from modhost import Clock, HostedService
from modhost.failures import describe, own_cancellation
from modhost.runtime.start import Start
from modhost.telemetry import ErrorReports

logger = logging.getLogger(__name__)

START_TIMEOUT: Final = 60.0
MIN_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 60.0
STABLE_SECONDS: Final = 60.0


class HostedServiceFailed(Exception):
    """A hosted service failed before it had started, which fails the start of the host."""


@dataclass(slots=True)
class ServiceState:
    """The state of a hosted service."""

    name: str
    state: Literal["starting", "running", "restarting", "stopped"] = "starting"
    restarts: int = 0
    last_error: str | None = None


class Supervisor:
    """Owns the tasks of all hosted services.

    Args:
        services: in the order in which they start.
        grace: the seconds that all of them together have to stop.
        clock: measures how long a service ran without a crash.
        reports: passes crashes on.

    """

    def __init__(
        self,
        services: Sequence[HostedService],
        grace: float,
        clock: Clock,
        reports: ErrorReports | None = None,
    ) -> None:
        reports = reports or ErrorReports()
        self._supervised = [_Supervised(service, clock, reports) for service in services]
        self._grace = grace
        self._clock = clock

    def report(self) -> list[ServiceState]:
        """Return the state of each service."""
        return [each.state for each in self._supervised]

    @asynccontextmanager
    async def running(self, start: Start | None = None) -> AsyncIterator[None]:
        """Start all, and stop all at the end. Raises `HostedServiceFailed`."""
        start = start or Start(self._clock)
        failure: Exception | SystemExit | None = None
        async with anyio.create_task_group() as group:
            started: list[_Supervised] = []
            try:
                for each in self._supervised:
                    started.append(each)
                    await each.start(group, start)
                yield
            except (Exception, SystemExit) as error:  # noqa: BLE001 - raised below, not wrapped
                failure = error
            finally:
                with anyio.CancelScope(shield=True):
                    await self._stop(list(reversed(started)))
        if failure is not None:
            raise failure

    async def _stop(self, started: Sequence["_Supervised"]) -> None:
        deadline = anyio.current_time() + self._grace
        for each in started:
            each.scope.cancel()
            with anyio.move_on_after(max(0.0, deadline - anyio.current_time())):
                await each.ended.wait()
            if not each.ended.is_set():
                message = "The hosted service %s does not stop within the grace of %g s."
                logger.error(message, each.state.name, self._grace)


class _Supervised(TaskStatus[None]):
    """One service with its task; as its task status it learns of restarts too."""

    def __init__(self, service: HostedService, clock: Clock, reports: ErrorReports) -> None:
        self._service = service
        self._reports = reports
        self._clock = clock
        self._task_status: TaskStatus[None] | None = None
        self.state = ServiceState(service.name or type(service).__qualname__)
        self.scope = anyio.CancelScope()
        self.ended = anyio.Event()
        self.ended.set()

    async def start(self, group: TaskGroup, start: Start) -> None:
        """Start the task, and wait until the service is up. Raises `HostedServiceFailed`."""
        try:
            name = f"the start of the hosted service {self.state.name}"
            await start.until_done(name, lambda: self._start_once(group))
        except Exception as error:
            msg = f"The hosted service {self.state.name} did not start: {describe(error)}"
            raise HostedServiceFailed(msg) from error

    async def _start_once(self, group: TaskGroup) -> None:
        self.scope = anyio.CancelScope()
        self.ended = anyio.Event()
        self.state.state = "starting"
        with anyio.fail_after(START_TIMEOUT):
            await group.start(self._run, name=self.state.name)

    def started(self, value: None = None) -> None:
        """Take notice that the service is up; its first time ends the wait for its start."""
        self.state.state = "running"
        task_status, self._task_status = self._task_status, None
        if task_status is not None:
            task_status.started(value)

    async def _run(self, *, task_status: TaskStatus[None]) -> None:
        self._task_status = task_status
        pause = MIN_PAUSE_SECONDS
        try:
            with self.scope:
                while True:
                    began = self._clock.monotonic()
                    if await self._run_once():
                        return
                    if self._clock.monotonic() - began >= STABLE_SECONDS:
                        pause = MIN_PAUSE_SECONDS
                    await anyio.sleep(pause)
                    pause = min(MAX_PAUSE_SECONDS, 2 * pause)
        finally:
            self.state.state = "stopped"
            self.ended.set()

    async def _run_once(self) -> bool:
        """Run the service; return True when it returned, False when it crashed."""
        try:
            with own_cancellation():
                await self._service.run(task_status=self)
        except Exception as error:
            if self._task_status is not None:
                raise  # it has not started
            self.state.state = "restarting"
            self.state.restarts += 1
            self.state.last_error = describe(error)
            logger.exception("The hosted service %s crashed; it restarts.", self.state.name)
            self._reports.report_of_service(self.state.name, error)
            return False
        if self._task_status is not None:
            self.started()
        return True
