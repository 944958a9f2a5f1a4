"""Supervise several worker processes: start them, replace those that die, stop them."""

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import anyio
from anyio.abc import Process, TaskGroup, UNIXDatagramSocket

from modhost.runtime.serving.service_manager import VARIABLE, ServiceManager

logger = logging.getLogger(__name__)

SUPERVISED: Final = "MODHOST_SUPERVISED"
"""The variable that makes a process stop when its supervisor closes its standard input.

It holds the number of the process, from 1.
"""

RESTART_PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STABLE_SECONDS: Final = 60.0
BAD_CONFIGURATION: Final = 2


def stop_with_supervisor() -> int:
    """Stop this process when its supervisor is gone, for whatever reason; return its number."""
    number = os.environ.pop(SUPERVISED, None)
    if number is None:
        return 1

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="supervisor watch", daemon=True).start()
    return int(number)


def supervise(command: Sequence[str], count: int, stop_seconds: float) -> int:
    """Keep `count` processes of a command running until SIGTERM or SIGINT; return the exit code.

    A process that dies is replaced, alone, after a pause that grows while it dies soon; nothing
    that one dies of ends another. Only when none can start for its configuration is that given up.
    At the end each gets SIGTERM and `stop_seconds`, then SIGKILL. The service manager learns when
    all of them are ready.
    """
    supervisor = _Supervisor(command, stop_seconds)
    anyio.run(supervisor.run, count)
    return supervisor.exit_code


class _Supervisor:
    def __init__(self, command: Sequence[str], stop_seconds: float) -> None:
        self.exit_code = 0
        self._command = list(command)
        self._stop_seconds = stop_seconds
        self._stopping = anyio.Event()
        self._processes: set[Process] = set()
        self._count = 0
        self._manager = ServiceManager()
        self._addresses: dict[int, str] = {}
        """Where each process reports that it is ready, if anybody wants to know."""
        self._ready: set[int] = set()
        self._badly_configured: set[int] = set()
        """The numbers of those that could not start, the last time, for their configuration."""

    async def run(self, count: int) -> None:
        self._count = count
        async with anyio.create_task_group() as group:
            group.start_soon(self._await_signals)
            with TemporaryDirectory() as folder:
                if self._manager.is_there:
                    await self._open_reports(group, Path(folder))
                async with anyio.create_task_group() as keepers:
                    for number in range(1, count + 1):
                        keepers.start_soon(self._keep, number)
            group.cancel_scope.cancel()

    async def _await_signals(self) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                if self._stopping.is_set():
                    logger.error("Asked to stop again; killing all workers.")
                    for process in self._processes:
                        with suppress(ProcessLookupError):
                            process.kill()
                    self.exit_code = 1
                    continue
                logger.info("%s: stopping all workers.", signal.Signals(number).name)
                self._manager.report_stopping()
                self._stopping.set()

    async def _keep(self, number: int) -> None:
        """Run one process after the other, until asked to stop."""
        deaths = 0
        while not self._stopping.is_set():
            started = anyio.current_time()
            self._badly_configured.discard(number)
            code = await self._run_one(number)
            if self._stopping.is_set():
                # A process that did not handle the signal yet has nothing to clean up.
                if code not in (0, -signal.SIGTERM):
                    self.exit_code = self.exit_code or 1
                return
            if code == BAD_CONFIGURATION:
                self._badly_configured.add(number)
                if len(self._badly_configured) == self._count:
                    self.exit_code = BAD_CONFIGURATION
                    self._stopping.set()
                    return
            deaths = 1 if anyio.current_time() - started > STABLE_SECONDS else deaths + 1
            pause = RESTART_PAUSES[min(deaths, len(RESTART_PAUSES)) - 1]
            if code == BAD_CONFIGURATION:
                pause = RESTART_PAUSES[-1]
            logger.error("Worker process %d ended (%s); a new one in %g s.", number, code, pause)
            with anyio.move_on_after(pause):
                await self._stopping.wait()

    async def _run_one(self, number: int) -> int:
        """Run a process to its end; it is asked to stop when all are."""
        # A session of its own: an interrupt at the terminal reaches it through us only.
        process = await anyio.open_process(
            self._command,
            stdin=subprocess.PIPE,
            stdout=None,
            stderr=None,
            env={**os.environ, SUPERVISED: str(number), VARIABLE: self._addresses.get(number, "")},
            start_new_session=True,
        )
        async with process, anyio.create_task_group() as group:
            self._processes.add(process)
            group.start_soon(self._stop, process)
            try:
                code = await process.wait()
            finally:
                self._processes.discard(process)
            group.cancel_scope.cancel()
        return code

    async def _open_reports(self, group: TaskGroup, folder: Path) -> None:
        for number in range(1, self._count + 1):
            self._addresses[number] = str(folder / str(number))
            reports = await anyio.create_unix_datagram_socket(local_path=self._addresses[number])
            group.start_soon(self._note_ready, number, reports)

    async def _note_ready(self, number: int, reports: UNIXDatagramSocket) -> None:
        async with reports:
            async for message, _ in reports:
                if message.startswith(b"READY=1") and number not in self._ready:
                    self._ready.add(number)
                    if len(self._ready) == self._count:
                        self._manager.report_ready(f"{self._count} workers: ready")

    async def _stop(self, process: Process) -> None:
        await self._stopping.wait()
        # It may have ended by itself at the same moment.
        with suppress(ProcessLookupError):
            process.terminate()
            await anyio.sleep(self._stop_seconds)
            logger.error("Worker process %d does not stop; killing it.", process.pid)
            process.kill()
