"""A process that runs attempts, as seen by the worker that started it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from contextlib import suppress
from typing import Final

import anyio
from anyio.abc import Process

from modhost_background_jobs.worker.processes import messages

PROGRAM: Final = "modhost_background_jobs.worker.processes"
START_TIMEOUT: Final = 60.0
LEAVE_TIMEOUT: Final = 2.0
EXIT_TIMEOUT: Final = 5.0
STANDARD_ERROR: Final = 2


class ProcessNotStarted(Exception):
    """A process could not be made ready; the message says why. No job is to blame for it."""

    may_pass = True


class JobProcess:
    """Runs one attempt at a time, in a process group that includes what its jobs start.

    The process started here leads the group, and exits as its child does, which runs the attempts.
    """

    def __init__(self, process: Process, reader: StreamReader, writer: StreamWriter) -> None:
        self.pid = process.pid
        self.attempts = 0
        """How many it was given."""
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, introduction: str) -> "JobProcess":
        """Start a process and wait until it is ready. Raises `ProcessNotStarted`."""
        with anyio.CancelScope(shield=True):
            started = await cls._spawn()
        try:
            await started._introduce(introduction)
        except BaseException:
            started.kill()
            await started.end()
            raise
        return started

    @classmethod
    async def _spawn(cls) -> "JobProcess":
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise ProcessNotStarted(f"the operating system refused: {error}.") from error
        try:
            with theirs:
                process = await anyio.open_process(
                    [sys.executable, "-P", "-m", PROGRAM, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    # What jobs print appears beside the log.
                    stdout=STANDARD_ERROR,
                    stderr=None,
                    pass_fds=[theirs.fileno()],
                    # Interrupts at the terminal are for the worker, and a kill is for the group.
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            raise ProcessNotStarted(f"the operating system refused: {error}.") from error
        ours.settimeout(0)
        return cls(process, *await asyncio.open_unix_connection(sock=ours))

    async def _introduce(self, introduction: str) -> None:
        self._writer.write(messages.framed(introduction.encode()))
        with anyio.move_on_after(START_TIMEOUT):
            answer = await self.receive()
            if isinstance(answer, messages.Ready):
                return
            if isinstance(answer, messages.NotReady):
                raise ProcessNotStarted(answer.error)
            msg = f"it {await self.end()} while it started; the worker's log may say why."
            raise ProcessNotStarted(msg)
        raise ProcessNotStarted(f"it was not ready within {START_TIMEOUT:g} s.")

    def send(self, message: messages.Message) -> None:
        """Send a message; it is lost when the process is gone."""
        if not self._writer.is_closing():
            self._writer.write(messages.encode(message))

    async def receive(self) -> messages.Message | None:
        """Wait for the next message; None when there will be no more."""
        try:
            (length,) = messages.HEAD.unpack(await self._reader.readexactly(messages.HEAD.size))
            return messages.decode(await self._reader.readexactly(length))
        except (IncompleteReadError, ConnectionError):
            return None

    def kill(self) -> None:
        """Kill it, and what it has started, at once; `end` waits for it."""
        # Once it is known to be gone its number may be that of another process.
        if self._process.returncode is None:
            self._kill_group()

    async def end(self, seconds: float = EXIT_TIMEOUT) -> str:
        """Wait that long for its exit, kill what is left then, and return how it ended."""
        with anyio.CancelScope(shield=True):
            if self._process.returncode is None:
                with anyio.move_on_after(seconds):
                    await self._process.wait()
                self._kill_group()
            status = await self._process.wait()
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
        if status >= 0:
            return f"exited with status {status}"
        return f"was killed by signal {-status} ({_name_of(-status)})"

    async def leave(self) -> None:
        """Let it close what it has open and exit, within `LEAVE_TIMEOUT`."""
        self.send(messages.Leave())
        await self.end(LEAVE_TIMEOUT)

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
