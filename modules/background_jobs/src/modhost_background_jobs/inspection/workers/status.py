"""Workers as the API answers them."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.inspection.workers.view import WorkerState, WorkerView
from modhost_background_jobs.model import DepartedRow, Departure
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.storage.departed import MAX_KEPT


class WorkerStatus(BaseModel):
    """A registered worker.

    `state` is the worst that there is to say of it, `memory` the bytes that its process uses, null
    where its system does not say. `unresponsive` is how many of its slots are held by jobs that do
    not stop, `clock_skew` by how many seconds its clock is ahead.
    """

    name: str
    state: WorkerState
    host: str
    process: int
    version: str
    app_version: str
    memory: int | None
    queues: tuple[str, ...]
    max_concurrency: int
    running: int
    unresponsive: int
    clock_skew: float
    started_at: datetime
    heartbeat_at: datetime
    blocked_since: datetime | None
    stopping_since: datetime | None
    quiet_since: datetime | None
    quieted_by: str | None

    @classmethod
    def of(cls, view: WorkerView) -> "WorkerStatus":
        """Return a worker as the API answers it."""
        names = cls.model_fields.keys() - {"state", "running"}
        values = {name: getattr(view.row, name) for name in names}
        return cls(**values, state=view.state, running=view.running)


class DepartedWorker(BaseModel):
    """A worker that is gone: how it left, and how many jobs it did not finish."""

    name: str
    host: str
    process: int
    version: str
    app_version: str
    queues: tuple[str, ...]
    started_at: datetime
    heartbeat_at: datetime
    left_at: datetime
    departure: Departure
    jobs: int

    @classmethod
    def of(cls, row: DepartedRow) -> "DepartedWorker":
        """Return a worker as the API answers it."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class Workers:
    """Reads the workers."""

    def __init__(self, snapshots: Snapshots, load: QueueLoad) -> None:
        self._snapshots = snapshots
        self._load = load

    async def registered(self) -> list[WorkerStatus]:
        """Return the registered workers, the troubled ones first."""
        return [WorkerStatus.of(each) for each in await self._snapshots.workers()]

    async def find(self, name: str) -> WorkerStatus:
        """Return a registered worker. Raises `WorkerNotFound`."""
        return WorkerStatus.of(await self._snapshots.worker(name))

    async def departed(self) -> Sequence[DepartedWorker]:
        """Return those that left within a day, at most 500, the last one first."""
        return [DepartedWorker.of(each) for each in await self._load.departed(MAX_KEPT)]
