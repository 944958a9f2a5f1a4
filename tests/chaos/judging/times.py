"""Every due time fires once, nothing starts before it is due, and nothing of a paused queue."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from chaos.judging.account import SECOND, Account, Run
from chaos.judging.stored import Stored

MINUTE: Final = 60
SKEW_SECONDS: Final = 0.05
"""By how much a due time may lie ahead of the clock: it is stored in microseconds, and the clock of
a server is not the one of this process."""
AFTERMATH: Final = 30 * SECOND
"""For how long what was written by a wrong clock may still wait for its time."""
FOLLOW: Final = 3 * SECOND
"""Workers follow a pause within a second, and then may have prefetched for another."""


def unfired(account: Account, stored: Stored) -> Iterator[str]:
    """Return a sentence for each due time of a schedule that did not fire, or did so twice."""
    for span in account.named("scheduled"):
        name, since, until = span.facts["name"], span.facts["since"], span.facts["until"]
        runs = [job for job in stored.jobs.values() if job.schedule == name and job.due]
        fired = Counter(job.due for job in runs)
        expected = range(int(since // MINUTE + 1) * MINUTE, int(until), MINUTE)
        missed = [due for due in expected if not fired[due]]
        yield from (f"{name} did not fire for {_clock(due)}" for due in missed)
        for due, times in fired.items():
            if due is not None and times > 1:
                yield f"{name} fired {times} times for {_clock(due)}"
        unrecorded = set(expected) - stored.due_times.get(name, set()) - set(missed)
        yield from (f"{name} has no record that it fired for {_clock(due)}" for due in unrecorded)
    for job in stored.jobs.values():
        dues = {run.due for run in account.by_job.get(job.id, []) if run.due}
        if job.schedule and dues - {job.due}:
            yield f"{job.schedule} {job.id} is for {job.due}, and ran for {dues}"


def _clock(due: float) -> str:
    return f"{int(due) // 3600 % 24:02}:{int(due) // MINUTE % 60:02}"


def early(account: Account) -> Iterator[str]:
    """Return a sentence for each attempt that began before its job was due, by a right clock."""
    for run in account.runs:
        offer = account.offers.get(run.token)
        due = run.due if offer is None else offer.facts.get("due")
        if due and due - run.wall > SKEW_SECONDS and not _has_wrong_clock(account, run):
            yield f"{run.kind} {run.job} began {due - run.wall:.3f} s before it was due"


def _has_wrong_clock(account: Account, run: Run) -> bool:
    """Return whether the clock of a process was wrong at a time, or that of a producer."""
    return any(
        span.began <= run.began <= (span.ended or run.began) + AFTERMATH
        and (len(span.facts["pids"]) > 1 or span.is_of(run))
        for span in account.named("clock")
    )


def begun_in_pause(account: Account) -> Iterator[str]:
    """Return a sentence for each attempt of a queue that was paused."""
    for span in account.named("paused"):
        for run in account.runs:
            is_paused = span.began + FOLLOW < run.began < (span.ended or 0)
            offer = account.offers.get(run.token) if is_paused else None
            is_of_queue = offer is not None and offer.facts.get("queue") == span.facts["queue"]
            is_excused = _was_away(account, run) or _has_wrong_clock(account, run)
            if is_of_queue and not is_excused:
                after = (run.began - span.began) / SECOND
                yield f"{run.kind} {run.job} began {after:.1f} s after its queue was paused"


def _was_away(account: Account, run: Run) -> bool:
    """Return whether a process may not have learned of the pause yet, being back for a moment."""
    return any(
        span.is_of(run) and span.began - FOLLOW < run.began < (span.ended or run.began) + 5 * SECOND
        for span in account.named("impaired")
    )
