"""A worker process: how it registers itself, and what becomes of it and its jobs."""

import math
import os
import re
import secrets
import socket
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model.attempt import Ended, Lease

UNREGISTERED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A consumer process as it registers itself."""

    name: str
    host: str
    process: int
    version: str
    max_concurrency: int
    job_types: tuple[str, ...]
    queues: tuple[str, ...] = ("*",)
    app_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow(WorkerInfo):
    """A registered worker as it is read.

    Attributes:
        clock_skew: by how many seconds its host's clock is ahead of the shared one.
        unresponsive: how many of its slots are held by jobs that do not stop when asked.
        running: how many jobs it holds.
        memory: the bytes of memory that its process uses; None where the system does not say.
        blocked_since: since when its event loop has not turned.
        stopping_since: when it was asked to stop.
        quiet_since: since when it is to claim nothing.
        quieted_by: who has asked for that.

    """

    started_at: datetime
    heartbeat_at: datetime
    clock_skew: float
    unresponsive: int
    running: int
    memory: int | None = None
    blocked_since: datetime | None = None
    stopping_since: datetime | None = None
    quiet_since: datetime | None = None
    quieted_by: str | None = None


class Departure(StrEnum):
    """How a worker left.

    `drained` is a worker that was quiet when it was asked to stop, and had finished its jobs.
    `crashed` is one whose job processor failed, which its host starts again under another name.
    """

    STOPPED = "stopped"
    DRAINED = "drained"
    CRASHED = "crashed"
    DIED = "died"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartedRow:
    """A worker that is gone; `jobs` is how many were taken back, as it did not finish them."""

    name: str
    host: str
    process: int
    version: str
    app_version: str
    queues: tuple[str, ...]
    started_at: datetime
    heartbeat_at: datetime
    quiet_since: datetime | None
    quieted_by: str | None
    left_at: datetime
    departure: Departure
    jobs: int


class CurrentWorker:
    """The consumer of this process: the one that is registered, or was last.

    `is_quiet` is whether it is to claim nothing, `unfinished` how many jobs it had to let go of
    when it stopped; for the others see `WorkerRow`.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self.is_quiet = False
        self.blocked_since: datetime | None = None
        self.stopping_since: datetime | None = None
        self.unfinished = 0
        self._lease_seconds = math.inf
        self._registered_at = -math.inf
        self._leased_until = math.inf

    def begin(self, name: str, lease_seconds: float = math.inf) -> None:
        """Be a new one, which others may take for dead so long after its last heartbeat."""
        self.name, self.is_quiet = name, False
        self.stopping_since, self.unfinished = None, 0
        self._lease_seconds = lease_seconds
        self._registered_at, self._leased_until = -math.inf, math.inf

    def renew(self, asked_at: float) -> None:
        """Note a heartbeat that is stored, and the monotonic time before it was sent."""
        self._leased_until = asked_at + self._lease_seconds

    def lose(self, now: float) -> None:
        """Note that it was taken for dead: what it claimed before `now`, monotonic, is others'."""
        self._registered_at = now

    def may_begin(self, claimed_at: float, now: float) -> bool:
        """Return whether to begin an attempt, as far as is known here; the times are monotonic."""
        is_own = now < self._leased_until and claimed_at >= self._registered_at
        return is_own and not self.is_quiet


class Vitals(NamedTuple):
    """What a worker says of itself with a heartbeat; see `WorkerRow`."""

    memory: int | None = None
    blocked_since: datetime | None = None
    stopping_since: datetime | None = None


class Known(NamedTuple):
    """What a worker learns by a heartbeat, unless its row is gone."""

    is_quiet: bool


class Heartbeat(NamedTuple):
    """How often a worker has been heard of: it is alive while the number grows.

    A worker that holds jobs without being registered has `UNREGISTERED` beats.
    """

    worker: str
    beats: int


class DatedHeartbeat(NamedTuple):
    """The last heartbeat of a worker, with the time of the clock of its host."""

    worker: str
    beats: int
    at: datetime


def process_name() -> str:
    """Return how the names of this process's workers begin: where it runs."""
    host = re.sub(r"[^\w.-]", "-", socket.gethostname())[:60] or "host"
    return f"{host}-{os.getpid()}-"


def is_of_this_process(worker: str) -> bool:
    """Return whether a worker of this name belongs to this process."""
    return worker.removeprefix(BULK_PREFIX).startswith(process_name())


def first_beat() -> int:
    """Return where a worker that registers begins to count, far from where it ever was."""
    return secrets.randbits(62)


class Rescue(NamedTuple):
    """A job taken back from a dead worker; `state` is `Pending`, or what ended it.

    It is `Running` when it was left behind, since somebody else has locked it.
    """

    job_id: UUID
    worker: str
    state: JobState


LOST: Final = "lost worker: "
"""How the error begins of an attempt whose worker was found dead."""
CUT_OFF: Final = ("cut off: ", " was taken for dead and came back, the job was handed to another.")
"""The error of such an attempt once its worker is known to live, but for the worker's name."""
QUARANTINED: Final = "quarantined: "
"""How the error begins of a job that was rescued too often."""

# Stored in names of workers; the names of other workers have no such sign in them.
BULK_PREFIX: Final = "operation@"


def as_bulk_runner(worker: WorkerInfo) -> WorkerInfo:
    """Return a worker under a name that only bulk runners have."""
    return replace(worker, name=BULK_PREFIX + worker.name)


def is_bulk_runner(name: str) -> bool:
    """Return whether a worker of this name runs bulk changes only."""
    return name.startswith(BULK_PREFIX)


def is_suspect(rescues: int, max_rescues: int) -> bool:
    """Return whether it matters that a job has begun when its worker dies.

    Of jobs that were never rescued it is not noted, which would be a write for each. The first
    rescue speaks against all that the worker had claimed, unless it is the last one too.
    """
    return rescues > 0 or max_rescues == 1


def is_last_chance(rescues: int, max_rescues: int) -> bool:
    """Return whether a job that was rescued before fails with its next rescue."""
    return rescues > 0 and rescues + 1 >= max_rescues


def lost_attempt_error(worker: str) -> str:
    """Return the error of an attempt that ended with its worker."""
    return f"{LOST}{worker} died or was cut off, the job was handed to another."


def quarantine_error(rescues: int) -> str:
    """Return the error of a job that was rescued too often to be tried again."""
    return (
        f"{QUARANTINED}{rescues} workers died while they ran this job, so it is not handed to "
        f"another. Look at its log and at the workers' memory, then retry it by hand."
    )


def rescue_end(lease: Lease, state: JobState, rescues: int) -> Ended:
    """Return the end of a job that was taken back from its worker, and is not run again."""
    return Ended(lease, state, quarantine_error(rescues) if state is JobState.FAILED else None)
