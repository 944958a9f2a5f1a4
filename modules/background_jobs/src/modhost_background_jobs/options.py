"""The options of background jobs: `[modules.background_jobs]`."""

import os
from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from modhost import ModuleOptions
from modhost.durations import Duration


class WorkerMode(StrEnum):
    """Whether this host only produces jobs or executes them too."""

    PRODUCER = "Producer"
    CONSUMER = "Consumer"


class BackgroundJobsOptions(ModuleOptions):
    """What operators can set; durations are seconds or a string such as `"2s"`."""

    worker_mode: WorkerMode = Field(
        WorkerMode.PRODUCER,
        description="A `Producer` enqueues, schedules, cancels and shows jobs; a `Consumer` runs "
        "them too. `modhost worker` is always a consumer.",
    )
    max_concurrency: int = Field(
        ge=1,
        le=10_000,
        default_factory=lambda: os.cpu_count() or 1,
        description="How many jobs run at the same time in one process.",
    )
    progress_flush_batch_size: int = Field(
        50,
        ge=1,
        le=10_000,
        description="Number of progress reports and log lines that are collected before they are "
        "written in one batch.",
    )
    progress_flush_interval: Duration = Field(
        timedelta(seconds=2),
        gt=timedelta(0),
        description="Longest time that a progress report or log line waits to be written while "
        "the batch is not full.",
    )
    max_log_entries: int = Field(
        1000,
        ge=0,
        le=1_000_000,
        description="How many lines of a job's log are kept, the newest; 0 keeps none.",
    )
    poll_interval: Duration = Field(
        timedelta(seconds=1),
        gt=timedelta(0),
        description="How often a consumer polls for due jobs when nothing wakes it.",
    )
    heartbeat_interval: Duration = Field(
        timedelta(seconds=5),
        gt=timedelta(0),
        description="How often a worker process records that it is alive.",
    )
    stall_timeout: Duration = Field(
        timedelta(seconds=20),
        gt=timedelta(0),
        description="How long a worker may be silent before its jobs go to other workers; at "
        "least three times `heartbeat_interval`.",
    )
    stall_sweep_interval: Duration = Field(
        timedelta(seconds=5),
        gt=timedelta(0),
        description="How often a consumer checks for silent workers.",
    )
    max_clock_skew: Duration = Field(
        timedelta(seconds=5),
        gt=timedelta(0),
        description="How far a host's clock may differ from that of PostgreSQL, or on SQLite from "
        "the heartbeats of other processes, before the host fires no schedules and deletes no "
        "history.",
    )
    max_rescues: int = Field(
        3,
        ge=1,
        le=100,
        description="Number of workers in a row that die while they run a job until the job is "
        "`Failed`, since it may be what kills them.",
    )
    max_attempts: int = Field(
        3,
        ge=1,
        le=1000,
        description="Attempts before a job fails, unless its class or its caller sets another "
        "number.",
    )
    max_data_size: int = Field(
        1_000_000,
        ge=1_000,
        le=1_000_000_000,
        description="How many characters the data of a job may have as JSON; larger ones are "
        "refused when they are enqueued.",
    )
    retry_base_delay: Duration = Field(
        timedelta(seconds=10),
        description="Wait before the second attempt, doubled for each later one up to "
        "`retry_max_delay`.",
    )
    retry_max_delay: Duration = Field(
        timedelta(hours=1),
        gt=timedelta(0),
        description="Longest wait between two attempts.",
    )
    kill_grace: Duration = Field(
        timedelta(seconds=3),
        description="Time that a job in a process of its own has to stop when asked; then the "
        "process is killed.",
    )
    shutdown_grace: Duration = Field(
        timedelta(seconds=30),
        description="Time that running jobs have to finish when the worker is asked to stop; "
        "then they are released for other workers.",
    )
    retention: Duration = Field(
        timedelta(days=7),
        description="How long finished jobs are kept; 0 keeps them forever.",
    )
    retention_failed: Duration = Field(
        timedelta(days=7),
        description="How long failed jobs are kept when that is longer than `retention`; 0 keeps "
        "them forever.",
    )

    @model_validator(mode="after")
    def _stall_timeout_spans_three_heartbeats(self) -> Self:
        if self.stall_timeout < 3 * self.heartbeat_interval:
            shortest = 3 * self.heartbeat_interval.total_seconds()
            msg = (
                f"stall_timeout is {self.stall_timeout.total_seconds():g} s, which is under three "
                f"heartbeats: a worker that is merely slow would be taken for dead. Set it to "
                f"{shortest:g} s or more, or lower heartbeat_interval."
            )
            raise ValueError(msg)
        return self
