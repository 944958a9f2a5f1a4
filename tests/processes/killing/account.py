"""What must hold of workflows by the ledger of their jobs and by their final states."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class PlannedJob(NamedTuple):
    """A job of a workflow, as it was added."""

    id: str
    after: tuple[str, ...]
    when: str


@dataclass
class Run:
    """One run of a job, by a clock that all processes share; `ended` is None if it was cut off."""

    process: str
    began: int
    ended: int | None = None


@dataclass
class Account:
    """The runs of each job, and the processes that died."""

    runs: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    dead: set[str] = field(default_factory=set)

    @property
    def begins(self) -> int:
        """How many runs there were."""
        return sum(map(len, self.runs.values()))

    @property
    def cut_off(self) -> int:
        """How many runs ended with their process."""
        return sum(run.ended is None for runs in self.runs.values() for run in runs)


def read(path: Path) -> Account:
    """Read a ledger."""
    account = Account()
    by_name: dict[str, Run] = {}
    for line in path.read_text().splitlines():
        at, event, name, *rest = line.split()
        process = name.partition("-")[0]
        if event == "begin":
            by_name[name] = Run(process, int(at))
            account.runs[rest[0]].append(by_name[name])
        elif event == "end":
            by_name[name].ended = int(at)
        else:
            account.dead.add(process)
    return account


def faults(
    planned: Mapping[str, PlannedJob], states: Mapping[str, str], account: Account
) -> Iterator[str]:
    """Return a sentence for each job that ran, or did not run, as it must not."""
    for job in planned.values():
        state, runs = states.get(job.id), account.runs[job.id]
        expected = _expected(job, states)
        if state is None or (expected == "Cancelled") != (state == "Cancelled"):
            yield f"{job.id} is {state}, and not {expected}: it runs when {job.when}"
        if state == "Cancelled" and runs:
            yield f"{job.id} is cancelled, and has run"
        if state != "Cancelled" and not runs:
            yield f"{job.id} is {state}, and has not run"
        surviving = [run for run in runs if run.process not in account.dead]
        if len(surviving) > 1:
            yield f"{job.id} ran {len(surviving)} times in processes that live"
        for run in runs:
            if not _held(job, run.began, states, account):
                yield f"{job.id} began before its condition held: {job.when}"


def _expected(job: PlannedJob, states: Mapping[str, str]) -> str:
    has_bad = any(states.get(each) != "Completed" for each in job.after)
    if job.when == "succeeded":
        return "Cancelled" if has_bad else "run"
    return "Cancelled" if job.when == "failed" and not has_bad else "run"


def _held(job: PlannedJob, at: int, states: Mapping[str, str], account: Account) -> bool:
    """Return whether the condition of a job can have held at a time.

    A cancelled job left no trace of when; one that ran had a run that ended before.
    """
    ended = [
        states.get(each) == "Cancelled"
        or any(run.ended is not None and run.ended < at for run in account.runs[each])
        for each in job.after
    ]
    if job.when == "failed":
        bad = [states.get(each) != "Completed" for each in job.after]
        return any(one and other for one, other in zip(ended, bad, strict=True))
    return all(ended)
