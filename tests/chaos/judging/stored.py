"""What the database says of the jobs in the end."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class StoredJob:
    """A job, live or finished.

    `due` is the due time of a run of a schedule, in seconds; `is_own` is whether the trial has
    enqueued it, and not the queue itself.
    """

    id: str
    kind: str
    state: str
    token: str = ""
    schedule: str = ""
    due: float | None = None
    error: str = ""
    is_own: bool = True


@dataclass
class Stored:
    """The jobs, and what else the judges need.

    Attributes:
        jobs: by their ids.
        due_times: of each schedule, those that fired.
        entries: how often each entry of a transactional step is there, by job.
        starts: the times of the starts that counted for each key of a rate, in seconds, with the
            limit and the period.
        outcomes: of the workflows.
        deadlocks: how many PostgreSQL has found since it last recovered from a crash.

    """

    jobs: dict[str, StoredJob] = field(default_factory=dict)
    due_times: dict[str, set[float]] = field(default_factory=dict)
    entries: dict[str, dict[int, int]] = field(default_factory=dict)
    starts: dict[str, tuple[int, float, list[float]]] = field(default_factory=dict)
    outcomes: list[str | None] = field(default_factory=list)
    deadlocks: int = 0
