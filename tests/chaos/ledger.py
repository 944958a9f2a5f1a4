"""A ledger of what was enqueued, what ran and what was done to whom, which the queue does not know.

Each process appends lines of JSON to a file of its own, with the time of the monotonic clock that
all processes of a machine share, and with no buffer: what is noted survives `kill -9`. It is not
synced to the disk, since nobody cuts the power of the machine.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio

from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob, Snooze

_numbers = count()


class Ledger:
    """The ledger in a folder, as one process appends to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file, self._owner = -1, 0
        folder.mkdir(exist_ok=True)

    def note(self, event: str, **facts: Any) -> None:
        """Append a line."""
        # A process that was forked from one with a ledger has its own.
        if self._owner != os.getpid():
            self._owner = os.getpid()
            name = f"{self._owner}-{time.monotonic_ns()}.jsonl"
            self._file = os.open(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        line = {"at": time.monotonic_ns(), "event": event, "pid": self._owner, **facts}
        os.write(self._file, json.dumps(line).encode() + b"\n")

    @contextmanager
    def running(
        self,
        context: JobExecutionContext[Any],
        token: str,
        job: ModuleJob[Any, Any],
        keys: Sequence[str] = (),
    ) -> Iterator[None]:
        """Note the begin and the end of an attempt, and what it counts for.

        Args:
            context: the attempt.
            token: what its producer calls the job.
            job: the job.
            keys: the limits that it counts for, each as `<limit>:<name of the key>`.

        """
        run = f"{os.getpid()}-{next(_numbers)}"
        due = context.due_at and context.due_at.timestamp()
        self.note(
            "begin",
            run=run,
            job=str(context.job_id),
            token=token,
            kind=type(job).__name__,
            above=_above() if job.executor == "process" else [],
            keys=list(keys),
            attempt=context.attempt,
            due=due,
            # The right time, whatever the host of the job takes for it.
            wall=time.time(),
        )
        how = "failed"
        try:
            yield
            how = "done"
        except Snooze:
            how = "snoozed"
            raise
        except anyio.get_cancelled_exc_class():
            how = "stopped"
            raise
        finally:
            self.note("end", run=run, how=how)

    @contextmanager
    def span(self, event: str, **facts: Any) -> Iterator[None]:
        """Note the begin and the end of something that is done to processes, or to all of them."""
        number = f"{os.getpid()}-{next(_numbers)}"
        self.note(f"{event} begins", span=number, **facts)
        try:
            yield
        finally:
            self.note(f"{event} ends", span=number)


def _above() -> list[int]:
    """Return the process that has started this one, and its parent, which is the worker."""
    starter = os.getppid()
    # The name, which comes first, may have spaces.
    _, _, numbers = Path(f"/proc/{starter}/stat").read_text().rpartition(") ")
    return [starter, int(numbers.split()[1])]
