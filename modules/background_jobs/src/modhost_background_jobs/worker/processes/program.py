"""What runs in the process: the same host as the worker's, without all that it does by itself."""

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import TextIOWrapper

import anyio

from modhost.checks import StartupError
from modhost.runtime.assembly import build_host
from modhost.runtime.blueprint import HostBlueprint
from modhost.runtime.host import Host
from modhost.runtime.lifespan import ready
from modhost.runtime.serving.logs import configure_logging
from modhost_background_jobs.model import ClaimedJob, JobTypes
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.attempts.error_text import describe
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.processes.channel import Channel
from modhost_background_jobs.worker.processes.messages import (
    NotReady,
    Ready,
    Run,
    Stop,
    ToProcess,
)


def run_program(connection: socket.socket, blueprint: str) -> None:
    """Run attempts until told to leave."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What a job has printed is not lost when its process is killed.
        sys.stdout.reconfigure(line_buffering=True)
    anyio.run(_Program(Channel(connection)).run, HostBlueprint.from_json(blueprint))


class _Program:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._inbox: asyncio.Queue[ClaimedJob | None] = asyncio.Queue()
        self._attempt: Attempt | None = None
        self._loop: asyncio.AbstractEventLoop

    async def run(self, blueprint: HostBlueprint) -> None:
        self._loop = asyncio.get_running_loop()
        self._channel.listen(self._take)
        async with contextlib.AsyncExitStack() as stack:
            try:
                host = await stack.enter_async_context(_ready(blueprint))
            except StartupError as error:
                self._channel.send(NotReady(" ".join(map(str, error.findings))))
                return
            except Exception as error:  # noqa: BLE001 - whatever modules raise is told
                self._channel.send(NotReady(describe(error)))
                return
            await self._run_attempts(host)

    async def _run_attempts(self, host: Host) -> None:
        async with host.scope() as scope:
            options = await scope.get(BackgroundJobsOptions)
            types = await scope.get(JobTypes)
        runner = AttemptRunner(host.services, self._channel, options, host.clock)
        gc.freeze()
        gc.enable()
        self._channel.send(Ready())
        while (claimed := await self._inbox.get()) is not None:
            registered = types.named(claimed.job_type)
            attempt = Attempt(claimed, "thread" if registered.runs_in_thread else "task")
            self._attempt = attempt
            self._channel.begin(claimed.lease)
            # In a task of its own, so that the next attempt does not see what this one leaves.
            outcome = await asyncio.create_task(runner.run(attempt, registered))
            self._attempt = None
            self._channel.end(outcome)

    def _take(self, message: ToProcess) -> None:
        """Take a message, in the thread that listens."""
        if isinstance(message, Stop):
            self._stop(message)
            return
        claimed = message.claimed if isinstance(message, Run) else None
        self._loop.call_soon_threadsafe(self._inbox.put_nowait, claimed)

    def _stop(self, message: Stop) -> None:
        attempt = self._attempt
        if attempt is not None and attempt.claimed.lease == message.lease:
            # At once, for a job that looks at the flag and never yields.
            attempt.reason = message.reason
            self._loop.call_soon_threadsafe(attempt.stop, message.reason)


@asynccontextmanager
async def _ready(blueprint: HostBlueprint) -> AsyncIterator[Host]:
    configuration = blueprint.configuration()
    configure_logging(configuration.host.log_level)
    host = build_host(configuration, "worker", modules=blueprint.load_modules())
    async with ready(host, migrated=True):
        yield host
