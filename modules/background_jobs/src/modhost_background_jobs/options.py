"""The options of background jobs: `[modules.background_jobs]`."""

import os
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from modhost.durations import Duration
from modhost.module import ModuleOptions

Positive = Field(gt=timedelta(0))


class WorkerMode(StrEnum):
    """Whether this host only produces jobs or executes them too."""

    PRODUCER = "Producer"
    CONSUMER = "Consumer"


class BackgroundJobsOptions(ModuleOptions):
    """What operators may set; durations are seconds or a string such as `"2s"`."""

    worker_mode: WorkerMode = WorkerMode.PRODUCER
    max_concurrency: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default_factory=lambda: os.cpu_count() or 1
    )
    progress_flush_batch_size: Annotated[int, Field(ge=1, le=10_000)] = 50
    progress_flush_interval: Annotated[Duration, Positive] = timedelta(seconds=2)
    max_log_entries: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    poll_interval: Annotated[Duration, Positive] = timedelta(seconds=1)
    heartbeat_interval: Annotated[Duration, Positive] = timedelta(seconds=5)
    stall_timeout: Annotated[Duration, Positive] = timedelta(seconds=20)
    stall_sweep_interval: Annotated[Duration, Positive] = timedelta(seconds=5)
    max_rescues: Annotated[int, Field(ge=1, le=100)] = 3
    max_attempts: Annotated[int, Field(ge=1, le=1000)] = 3
    retry_base_delay: Duration = timedelta(seconds=10)
    retry_max_delay: Annotated[Duration, Positive] = timedelta(hours=1)
    kill_grace: Duration = timedelta(seconds=3)
    shutdown_grace: Duration = timedelta(seconds=30)
    retention: Duration = timedelta(days=7)
    retention_failed: Duration = timedelta(days=7)

    @model_validator(mode="after")
    def _stall_timeout_spans_three_heartbeats(self) -> Self:
        if self.stall_timeout < 3 * self.heartbeat_interval:
            least = 3 * self.heartbeat_interval.total_seconds()
            msg = (
                f"stall_timeout is {self.stall_timeout.total_seconds():g} s, which is under three "
                f"heartbeats: a worker that is merely slow would be taken for dead. Set it to "
                f"{least:g} s or more, or lower heartbeat_interval."
            )
            raise ValueError(msg)
        return self
