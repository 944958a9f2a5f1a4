"""BulkOrders, as changing all jobs of a search: any host carries them out, whatever is busy."""

import logging
from typing import Final

import anyio
from anyio.abc import TaskGroup, TaskStatus

from modhost.clock import Clock
from modhost.module import HostedService
from modhost_background_jobs.bulk.runner import BulkRunner
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.storage import JobStore, Wakeups, wait_for

logger = logging.getLogger(__name__)

MAX_CONCURRENT: Final = 4
POLL_INTERVAL: Final = 10.0
MIN_PAUSE_SECONDS: Final = 0.5


class BulkChangeService(HostedService):
    """Carries out operations in every host, producers too.

    They are jobs under leases as others are, but their types are claimed here only, so that they
    wait for no slot. What is ordered by this host begins at once; what another one has left is
    found by a look now and then.
    """

    name = "operations"

    def __init__(
        self, store: JobStore, wakeups: Wakeups, types: JobTypes, operator: BulkRunner, clock: Clock
    ) -> None:
        self._store = store
        self._wakeups = wakeups
        self._types = types
        self._operator = operator
        self._clock = clock

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Begin what is due until cancelled; what runs then is handed to another host."""
        places = anyio.Semaphore(MAX_CONCURRENT)
        task_status.started()
        async with anyio.create_task_group() as group:
            while True:
                ticket = self._wakeups.work.ticket()
                await places.acquire()
                if await self._begin(group, places):
                    continue
                places.release()
                await anyio.sleep(MIN_PAUSE_SECONDS)
                await wait_for(ticket, POLL_INTERVAL)

    async def _begin(self, group: TaskGroup, places: anyio.Semaphore) -> bool:
        """Begin an operation if one is due; tell whether it has, and has taken a place."""
        try:
            due_at = await self._store.next_due(self._types.operations)
            if due_at is None or due_at > self._clock.now():
                return False
            has_begun: bool = await group.start(self._carry_out, places)
        except Exception as error:  # noqa: BLE001 - whatever the driver says, it looks again
            logger.warning("Could not look for operations (%s).", error)
            return False
        return has_begun

    async def _carry_out(self, places: anyio.Semaphore, *, task_status: TaskStatus[bool]) -> None:
        async with self._operator.claimed() as operation:
            task_status.started(operation is not None)
            if operation is None:
                return
            try:
                await operation.run()
            except Exception as error:  # noqa: BLE001 - without a lease others take it over
                logger.warning("An operation broke off (%s); it is done again.", error)
            finally:
                places.release()
