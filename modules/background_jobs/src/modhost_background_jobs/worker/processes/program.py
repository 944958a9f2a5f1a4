"""What runs in the process of jobs: the worker's host, without its hosted services."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from io import TextIOWrapper

import anyio

from modhost.checks import StartupError
from modhost.runtime.assembly import build_host
from modhost.runtime.blueprint import HostBlueprint
from modhost.runtime.host import Host
from modhost.runtime.lifespan import ready
from modhost.runtime.serving.forks import isolate_forks
from modhost.runtime.serving.logs import configure_logging
from modhost.telemetry import ErrorReports, continued
from modhost_background_jobs.model import ClaimedJob, JobTypes, Lease, LogLine, ProgressUpdate
from modhost_background_jobs.model.steps import Checkpoint
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.attempts.error_text import describe
from modhost_background_jobs.worker.attempts.failures import report_failure
from modhost_background_jobs.worker.attempts.outcome import Outcome, Outcomes
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.attempts.steps.attempt_steps import StepTools
from modhost_background_jobs.worker.processes import messages


def run_program(connection: socket.socket, blueprint: str) -> None:
    """Run attempts until the worker says to leave."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What a job has printed is not lost when its process is killed.
        sys.stdout.reconfigure(line_buffering=True)
    # A process that a job forks must neither speak for it nor ignore its own signals.
    isolate_forks(connection)
    anyio.run(_Program(Channel(connection)).run, HostBlueprint.from_json(blueprint))


class Channel:
    """The connection to the worker; implements `Reports` for the attempt that runs.

    A thread of its own listens, and notices the worker's end while a job computes.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._guard = threading.Lock()
        self._lease: Lease | None = None
        self._progress: tuple[int, str | None] | None = None
        self.noted = anyio.Event()
        """Set once the worker has noted what it was asked to."""

    def listen(self, take: Callable[[messages.Message], None]) -> None:
        """Give every message to `take`, in the thread; end this process with the worker."""
        threading.Thread(
            target=self._listen, args=(take,), name="worker watch", daemon=True
        ).start()

    def send(self, message: messages.Message) -> None:
        """Send a message; waits while the worker does not keep up."""
        self._connection.sendall(messages.encode(message))

    def begin(self, lease: Lease) -> None:
        """Announce an attempt; only its reports are passed on from now on."""
        with self._guard:
            self._lease = lease
            self._progress = None
            self.send(messages.Begun())

    def end(self, outcome: Outcome) -> None:
        """Send the outcome of the attempt; later reports, of threads left behind, are dropped."""
        with self._guard:
            self._lease = None
            self.send(messages.Done(outcome))

    def report(self, update: ProgressUpdate) -> None:
        """Pass on progress that has changed."""
        progress = (update.percentage, update.message)
        with self._guard:
            if update.lease == self._lease and progress != self._progress:
                self._progress = progress
                self.send(messages.Progress(update))

    def log(self, line: LogLine) -> None:
        """Pass on a log line at once: it may be the last before a crash."""
        with self._guard:
            if line.lease == self._lease:
                self.send(messages.Log(line))

    def checkpoint(self, reached: Checkpoint) -> None:
        """Pass on at once how far the attempt has come: it may be the last before a crash."""
        with self._guard:
            if reached.lease == self._lease:
                self.send(messages.Reached(reached))

    async def keep(self, lease: Lease) -> None:
        """Return once the worker knows that the attempt ends its job itself."""
        self.noted = anyio.Event()
        if lease == self._lease:
            self.send(messages.Ending())
            await self.noted.wait()

    def _listen(self, take: Callable[[messages.Message], None]) -> None:
        while True:
            head = self._read(messages.HEAD.size)
            body = self._read(messages.HEAD.unpack(head)[0]) if head else b""
            if not body:
                # The worker is gone, and its jobs will be run again elsewhere.
                os.killpg(0, signal.SIGKILL)
            take(messages.decode(body))

    def _read(self, length: int) -> bytes:
        """Return so many bytes; none when the worker is gone."""
        data = b""
        while len(data) < length:
            try:
                more = self._connection.recv(length - len(data), socket.MSG_WAITALL)
            except OSError:
                return b""
            if not more:
                return b""
            data += more
        return data


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
                host = await stack.enter_async_context(_ready_host(blueprint))
            except StartupError as error:
                self._channel.send(messages.NotReady(" ".join(map(str, error.findings))))
                return
            except Exception as error:  # noqa: BLE001 - whatever modules raise is reported
                self._channel.send(messages.NotReady(describe(error)))
                return
            await self._run_attempts(host)

    async def _run_attempts(self, host: Host) -> None:
        async with host.scope() as scope:
            options = await scope.get(BackgroundJobsOptions)
            types = await scope.get(JobTypes)
            outcomes = await scope.get(Outcomes)
            steps = await scope.get(StepTools)
            reports = await scope.get(ErrorReports)
        runner = AttemptRunner(host.services, self._channel, steps, outcomes, options, host.clock)
        gc.freeze()
        gc.enable()
        self._channel.send(messages.Ready())
        while (claimed := await self._inbox.get()) is not None:
            registered = types.named(claimed.job_type)
            attempt = Attempt(
                claimed, registered, "thread" if registered.runs_in_thread else "task"
            )
            self._attempt = attempt
            self._channel.begin(claimed.lease)
            # In a task of its own, so that the next attempt does not see what this one leaves.
            with continued(claimed.traceparent):
                outcome = await asyncio.create_task(runner.run(attempt))
                self._attempt = None
                report_failure(reports, attempt, outcome)
            self._channel.end(outcome)

    def _take(self, message: messages.Message) -> None:
        """Take a message, in the thread that listens."""
        if isinstance(message, messages.Stop):
            self._stop(message)
            return
        if isinstance(message, messages.Noted):
            self._loop.call_soon_threadsafe(self._channel.noted.set)
            return
        claimed = message.claimed if isinstance(message, messages.Run) else None
        self._loop.call_soon_threadsafe(self._inbox.put_nowait, claimed)

    def _stop(self, message: messages.Stop) -> None:
        attempt = self._attempt
        if attempt is not None and attempt.lease == message.lease:
            # At once, for a job that checks the flag and never yields.
            attempt.reason = message.reason
            self._loop.call_soon_threadsafe(attempt.stop, message.reason)


@contextlib.asynccontextmanager
async def _ready_host(blueprint: HostBlueprint) -> AsyncIterator[Host]:
    configuration = blueprint.configuration()
    configure_logging(configuration.host)
    host = build_host(configuration, "worker", modules=blueprint.load_modules())
    async with ready(host, migrated=True):
        yield host
