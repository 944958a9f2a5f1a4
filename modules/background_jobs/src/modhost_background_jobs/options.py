"""The options of background jobs: `[modules.background_jobs]`."""

import os
from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator

from modhost import ModuleOptions
from modhost.durations import Duration, format_duration
from modhost_background_jobs.contracts.flow_checks import QUEUE_NAME, is_queue_name


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
    process_concurrency: int = Field(
        ge=1,
        le=10_000,
        default_factory=lambda: os.cpu_count() or 1,
        description="How many of them at most run in processes of their own.",
    )
    queues: tuple[str, ...] = Field(
        ("*",),
        min_length=1,
        description="The queues that a worker serves: names, `*` for all, `!bulk` to leave one "
        "out.",
    )
    queue_concurrency: dict[str, int] = Field(
        default={},
        description="How many jobs of a queue run at the same time in one process, for queues that "
        "are not to take all of `max_concurrency`: `{ bulk = 2 }`.",
    )
    priority_aging: Duration = Field(
        timedelta(hours=1),
        description="How much longer than others a job has to wait to make up for one point of "
        "priority; 0 for never.",
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
    max_result_size: int = Field(
        1_000_000,
        ge=1_000,
        le=1_000_000_000,
        description="How many characters the result of a job may have as JSON; one with a larger "
        "result fails.",
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

    @field_validator("queues")
    @classmethod
    def _name_queues(cls, queues: tuple[str, ...]) -> tuple[str, ...]:
        for each in queues:
            if each != "*" and not is_queue_name(each.removeprefix("!")):
                raise ValueError(f"{each!r} names no queue: give {QUEUE_NAME}.")
        if all(each.startswith("!") for each in queues):
            raise ValueError(f'{queues} leaves queues out and names none: add "*" for the others.')
        return queues

    @field_validator("queue_concurrency")
    @classmethod
    def _name_limited_queues(cls, limits: dict[str, int]) -> dict[str, int]:
        for name, limit in limits.items():
            if not is_queue_name(name):
                raise ValueError(f"{name!r} names no queue: give {QUEUE_NAME}.")
            if limit < 1:
                raise ValueError(f"{name} = {limit}: give 1 or more, or leave it out of `queues`.")
        return limits

    @model_validator(mode="after")
    def _stall_timeout_spans_three_heartbeats(self) -> Self:
        if self.stall_timeout < 3 * self.heartbeat_interval:
            shortest = format_duration(3 * self.heartbeat_interval)
            msg = (
                f"stall_timeout is {format_duration(self.stall_timeout)}, which is under three "
                f"heartbeats: a worker that is merely slow would be taken for dead. Set it to "
                f"{shortest} or more, or lower heartbeat_interval."
            )
            raise ValueError(msg)
        return self
