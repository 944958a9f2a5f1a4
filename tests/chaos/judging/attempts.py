"""Every job that was stored ran to its end, and one attempt at a time, as far as was promised."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from chaos.judging.account import SECOND, Account, Offer, Run, Span
from chaos.judging.stored import Stored, StoredJob

GRACE: Final = 15 * SECOND
"""How long a worker that is back may take to stop attempts that it has lost: five seconds are
promised, and the machine is busy."""
FINAL: Final = {"Completed", "Failed", "Cancelled", "Skipped"}


def losses(account: Account, stored: Stored) -> Iterator[str]:
    """Return a sentence for each job that is lost, has not ended, or ended as it must not."""
    tokens = {job.token for job in stored.jobs.values()}
    for offer in account.offers.values():
        for id_ in sorted(offer.ids):
            # Nobody knows the id of a job that was enqueued for an event.
            if id_ not in stored.jobs if id_ else offer.token not in tokens:
                yield f"{offer.kind} {id_ or offer.token} is lost: its producer had its id"
        if offer.expected == "never" and offer.token in tokens:
            yield f"{offer.kind} {offer.token} exists, and its transaction was rolled back"
    offers = {id_: offer for offer in account.offers.values() for id_ in offer.ids}
    for job in stored.jobs.values():
        yield from _wrong_ends(account, job, account.offers.get(job.token) or offers.get(job.id))
    yield from _twice_enqueued(stored)


def _wrong_ends(account: Account, job: StoredJob, offer: Offer | None) -> Iterator[str]:
    runs = account.by_job.get(job.id, [])
    name = f"{job.kind} {job.id}"
    if job.state not in FINAL:
        yield f"{name} has not ended: it is {job.state}"
    # A job that ends in its own transaction ends before the ledger has it.
    is_noted = job.is_own and not (offer is not None and "steps" in offer.facts)
    if job.state == "Completed" and is_noted and all(run.how != "done" for run in runs):
        yield f"{name} is Completed, and never ran to its end"
    if job.state == "Failed" and (offer is None or offer.expected == "done"):
        yield f"{name} is Failed: {job.error[:200]}"
    if job.state == "Cancelled" and offer is not None and offer.expected == "done":
        yield f"{name} is Cancelled, and nobody has cancelled it: {job.error[:200]}"


def _twice_enqueued(stored: Stored) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for job in stored.jobs.values():
        if job.token and (other := seen.setdefault((job.kind, job.token), job.id)) != job.id:
            yield f"{job.kind} {job.token} was enqueued once, and is there twice: {job.id}, {other}"


def overlaps(account: Account, silence: int) -> Iterator[str]:
    """Return a sentence for each attempt that began while another one ran, or after a success.

    Args:
        account: the ledger.
        silence: how long, in nanoseconds, a worker has to be silent at least before its jobs may be
            given to others.

    """
    impaired = account.named("impaired")
    for job, runs in account.by_job.items():
        for earlier, later in pairwise(sorted(runs, key=lambda run: run.began)):
            ended = account.ended_at(earlier)
            is_excused = any(
                (span.is_of(earlier) and _excuses(span, earlier, later, silence))
                or (span.is_of(later) and _comes_late(span, earlier, later, silence))
                for span in impaired
            )
            if ended is not None and ended > later.began and not is_excused:
                before = f"{(ended - later.began) / SECOND:.3f} s before it ended in {earlier.pid}"
                yield f"{later.kind} {job} began in {later.pid} {before}"
            if earlier.how == "done" and not earlier.is_in(account.died) and not is_excused:
                yield f"{later.kind} {job} ran again in {later.pid} after success in {earlier.pid}"


def _excuses(span: Span, earlier: Run, later: Run, silence: int) -> bool:
    """Return whether a process was away when its job was given to another."""
    until = (span.ended or later.began) + GRACE
    is_silent = later.began - span.began >= silence or span.facts["how"] == "stopping"
    is_gone = earlier.ended is None or earlier.ended < until
    return is_silent and earlier.began < until and later.began < until and is_gone


def _comes_late(span: Span, earlier: Run, later: Run, silence: int) -> bool:
    """Return whether a process that was away began what was given to another meanwhile.

    Its worker had claimed the job before.
    """
    until = (span.ended or later.began) + GRACE
    return earlier.began - span.began >= silence and later.began < until


def endless(account: Account) -> Iterator[str]:
    """Return a sentence for each attempt that still runs when all has ended."""
    for run in account.runs:
        if account.ended_at(run) is None and not run.is_apart:
            yield f"{run.kind} {run.job} still runs in {run.pid}"
