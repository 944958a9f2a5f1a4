"""The process's end of its connection to the worker."""

import os
import signal
import socket
import threading
from collections.abc import Callable

from modhost_background_jobs.model import Lease, LogLine, ProgressUpdate
from modhost_background_jobs.worker.attempts.outcome import Outcome
from modhost_background_jobs.worker.processes.messages import (
    HEAD,
    Begun,
    FromProcess,
    Log,
    Over,
    Progress,
    ToProcess,
    from_process,
    read_to_process,
)


class Channel:
    """Listens in a thread of its own, which notices the worker's end while a job computes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._guard = threading.Lock()
        self._lease: Lease | None = None
        self._progress: tuple[int, str | None] | None = None

    def listen(self, take: Callable[[ToProcess], None]) -> None:
        """Give every message to `take`, in the thread; end this process with the worker."""
        threading.Thread(
            target=self._listen, args=(take,), name="worker watch", daemon=True
        ).start()

    def send(self, message: FromProcess) -> None:
        """Say something; waits while the worker does not keep up."""
        self._connection.sendall(from_process(message))

    def begin(self, lease: Lease) -> None:
        """Say that an attempt begins; only its reports are passed on from now on."""
        with self._guard:
            self._lease = lease
            self._progress = None
            self.send(Begun())

    def end(self, outcome: Outcome) -> None:
        """Say how the attempt ended; what threads that it left behind report is nobody's."""
        with self._guard:
            self._lease = None
            self.send(Over(outcome))

    def report(self, update: ProgressUpdate) -> None:
        """Pass progress on that has changed."""
        progress = (update.percentage, update.message)
        with self._guard:
            if update.lease == self._lease and progress != self._progress:
                self._progress = progress
                self.send(Progress(*progress, update.reported_at))

    def log(self, line: LogLine) -> None:
        """Pass a log line on, at once: it may be the last before a crash."""
        with self._guard:
            if line.lease == self._lease:
                self.send(Log(line.number, line.logged_at, line.message))

    def _listen(self, take: Callable[[ToProcess], None]) -> None:
        while True:
            head = self._read(HEAD.size)
            body = self._read(HEAD.unpack(head)[0]) if head else b""
            if not body:
                # The worker is gone, and its jobs will be run again elsewhere.
                os.killpg(0, signal.SIGKILL)
            take(read_to_process(body))

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
