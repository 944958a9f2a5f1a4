"""A ledger of what runs when, which processes of one machine write independently of the queue.

Each appends whole lines to one file, with the time of the monotonic clock that all of them share.
An interval begins after its job is claimed and ends before its end is stored: it lies within the
time in which the job is `Running`. What a killed process leaves open ends when it was seen dead,
which is before anybody may rescue its jobs.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

_numbers = count()


class Ledger:
    """The file, as one process appends to it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @contextmanager
    def running(self, job: str, keys: Sequence[str]) -> Iterator[None]:
        """Note that a job runs and counts for keys, each written as `<limit>:<name of the key>`."""
        run = f"{os.getpid()}-{next(_numbers)}"
        self._append("begin", run, job, *keys)
        try:
            yield
        finally:
            self._append("end", run)

    def died(self, pid: int) -> None:
        """Note that a process is dead."""
        self._append("died", f"{pid}-")

    def _append(self, *words: str) -> None:
        os.write(self._file, f"{time.monotonic_ns()} {' '.join(words)}\n".encode())


@dataclass
class Account:
    """What a ledger shows.

    Attributes:
        begins: how often each job began.
        limits: the limit of each key.
        most: how many jobs of each key ran at the same time at most.
        excesses: a line for each moment at which more than the limit of a key ran.
        begun_before: how many jobs had begun before the first of them.
        cut_off: how many runs ended by the death of their process.

    """

    begins: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    limits: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    excesses: list[str] = field(default_factory=list)
    begun_before: int = 0
    cut_off: int = 0


def read(path: Path) -> Account:
    """Go through a ledger in the order of its times."""
    account = Account()
    open_runs: dict[str, tuple[str, list[str]]] = {}
    running: dict[str, set[str]] = defaultdict(set)
    lines = path.read_text().splitlines()
    events = sorted((int(line.split(" ", 1)[0]), line.split(" ")[1:]) for line in lines)
    for at, (event, run, *words) in events:
        if event == "begin":
            job, keys = words[0], words[1:]
            open_runs[run] = job, keys
            account.begins[job] += 1
            for key in keys:
                limit = account.limits[key] = int(key.partition(":")[0])
                running[key].add(run)
                account.most[key] = max(account.most[key], len(running[key]))
                if len(running[key]) > limit:
                    account.begun_before = account.begun_before or sum(account.begins.values())
                    others = [open_runs[each][0] for each in running[key]]
                    account.excesses.append(f"{at} {key}: {len(others)} run: {' '.join(others)}")
            continue
        ended = [each for each in open_runs if each.startswith(run)] if event == "died" else [run]
        account.cut_off += len(ended) if event == "died" else 0
        for each in ended:
            for key in open_runs.pop(each)[1]:
                running[key].remove(each)
    return account
