"""All judges, on the ledger of a trial and on what its database says in the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from chaos.judging import attempts, conditions, limits, recovery, times
from chaos.judging.account import SECOND, Account
from chaos.judging.recovery import Recovery, Sample
from chaos.judging.stored import Stored


@dataclass
class Evidence:
    """What a trial has left.

    Attributes:
        account: the ledger.
        stored: what the database says.
        silence_seconds: how long a worker is silent at least before its jobs go to others.
        recovery_seconds: within how many seconds the throughput has to be back.
        recoveries: of the faults.
        samples: of long-lived processes.
        answers: how often each status was answered to requests.
        others: what the trial itself has found.

    """

    account: Account
    stored: Stored
    silence_seconds: float
    recovery_seconds: float = 30.0
    recoveries: list[Recovery] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


def violations(evidence: Evidence) -> Iterator[str]:
    """Return a sentence for each promise that was not kept."""
    account, stored = evidence.account, evidence.stored
    yield from attempts.losses(account, stored)
    yield from attempts.overlaps(account, int(evidence.silence_seconds * SECOND))
    yield from attempts.endless(account)
    yield from limits.excesses(account)
    yield from limits.fast_starts(stored)
    yield from limits.twins(account)
    yield from times.unfired(account, stored)
    yield from times.early(account)
    yield from times.begun_in_pause(account)
    yield from conditions.broken(account, stored)
    yield from conditions.steps(account, stored)
    yield from recovery.lasting(evidence.recoveries, evidence.recovery_seconds)
    yield from recovery.gains(evidence.samples)
    for answer, count in evidence.answers.items():
        if answer not in {"200", "503"}:
            yield f"{count} requests were answered with {answer}"
    yield from recovery.refusals(account)
    if stored.deadlocks:
        yield f"PostgreSQL found {stored.deadlocks} deadlocks"
    yield from evidence.others
