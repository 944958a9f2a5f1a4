"""Types that a worker asks for only when they have due jobs, since their room is bounded.

All other jobs are claimed by the statement for plain ones as long as there are none of these.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from modhost_background_jobs.model import ClaimedJob
from modhost_background_jobs.model.claiming.lanes import Shares
from modhost_background_jobs.storage import JobStore, QueueClock


class TypesApart:
    """Knows when the first job of these types is due."""

    def __init__(self, names: frozenset[str], store: JobStore, clock: QueueClock) -> None:
        self.names = names
        self._store = store
        self._clock = clock
        self.due_at: datetime | None = None
        """As it was last read; None where no job waits."""

    @property
    def is_due(self) -> bool:
        """Whether there is a job to be claimed, as far as is known."""
        return self.due_at is not None and self.due_at <= self._clock.now()

    async def read(self, types: Collection[str]) -> None:
        """Read when the first job of those of the types is due."""
        if self.names:
            names = [name for name in types if name in self.names]
            self.due_at = await self._store.next_due(names) if names else None

    def are_claimed(self, shares: Shares, claimed: Sequence[ClaimedJob]) -> bool:
        """Note a claim that left nothing it had room for; return whether it took all due jobs."""
        most = max((each.most for each in shares.types if each.name in self.names), default=0)
        if not self.is_due or sum(job.job_type in self.names for job in claimed) >= most:
            return False
        self.due_at = None
        return True
