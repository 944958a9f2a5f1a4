"""What a module writes to have something run in the background of the host."""

from abc import ABC, abstractmethod

import anyio
from anyio.abc import TaskStatus


class HostedService(ABC):
    """A long-running coroutine that the host starts, restarts after a crash, and cancels.

    Attributes:
        name: how logs and health call it.

    """

    name: str = ""

    @abstractmethod
    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled; call `task_status.started()` as soon as the service is up.

        An exception before that fails the start of the host; a later one restarts the service.
        Returning ends it for good. What has to be done at the end is done on cancellation, shielded
        and bounded.
        """
