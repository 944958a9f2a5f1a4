"""After each fault throughput and answers are back without a restart, and no process has gained."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from chaos.judging.account import SECOND, Account

SHARE: Final = 0.95
"""What of the throughput before a fault has to be back."""
MIN_FULL: Final = 0.6
MIN_GIVEN: Final = 0.7
MEMORY_SHARE: Final = 1.25
MEMORY_BYTES: Final = 16 * 2**20
DESCRIPTORS: Final = 8
"""What a process may gain between the first fault and the last: pools grow, and heaps fragment."""
MIN_SAMPLES: Final = 8
LONG: Final = 60 * SECOND
REQUESTS_BACK: Final = 15 * SECOND
"""For how long after a fault a request may still be answered with 503."""


@dataclass(frozen=True)
class Recovery:
    """What a fault did to the throughput, as slots at work in the average of a window.

    Where all slots have something to do, that hardly depends on how much of the machine others use.

    Attributes:
        name: of the fault.
        before: the throughput before it.
        seconds: after how many seconds from its end it was back; None where it never was.
        best: the best window after the fault.
        full: the share of all slots that were at work before it.
        given: the share of processors that the deployment had after it, of that which it had
            before; others may have taken more meanwhile.

    """

    name: str
    before: float
    seconds: float | None
    best: float
    full: float = 1.0
    given: float = 1.0

    @property
    def is_judged(self) -> bool:
        """Whether the machine had time for the deployment, so that its throughput says anything."""
        return self.full >= MIN_FULL and (self.seconds is not None or self.given >= MIN_GIVEN)


def busy(account: Account, since: int, until: int) -> float:
    """Return how many slots were at work between two times, on average."""
    total = 0
    for run in reversed(account.runs):
        # They are nearly in the order of their begins, and none lasts for long.
        if run.began < since - LONG:
            break
        ended = account.ended_at(run) or until
        total += max(0, min(ended, until) - max(run.began, since))
    return total / max(1, until - since)


def lasting(recoveries: Sequence[Recovery], bound: float) -> Iterator[str]:
    """Return a sentence for each fault after which the throughput was not back within a bound."""
    for each in recoveries:
        if each.is_judged and (each.seconds is None or each.seconds > bound):
            yield (
                f"after {each.name} the throughput was at most {each.best:.2f} slots within "
                f"{bound:.0f} s, and {each.before:.2f} before"
            )


def refusals(account: Account) -> Iterator[str]:
    """Return a sentence for each request that was answered with 503 though nothing was wrong."""
    faults = account.named("fault")
    for at, path in account.unavailable:
        if not any(each.began <= at <= (each.ended or at) + REQUESTS_BACK for each in faults):
            yield f"{path} was answered with 503, and no fault was near"


@dataclass(frozen=True)
class Sample:
    """What a long-lived process has at a moment at which nothing is wrong."""

    process: str
    memory: int
    descriptors: int


def gains(samples: Sequence[Sample]) -> Iterator[str]:
    """Return a sentence for each process that has more in the end than in the beginning."""
    for process in dict.fromkeys(sample.process for sample in samples):
        own = [sample for sample in samples if sample.process == process]
        if len(own) < MIN_SAMPLES:
            continue
        quarter = len(own) // 4
        # The first quarter is that of a process which has not seen everything yet.
        first, last = own[quarter : 2 * quarter], own[-quarter:]
        memory = [median(each.memory for each in part) for part in (first, last)]
        if memory[1] > memory[0] * MEMORY_SHARE + MEMORY_BYTES:
            yield f"{process} has {memory[1] / 2**20:.0f} MiB, and had {memory[0] / 2**20:.0f}"
        descriptors = [
            min(each.descriptors for each in last),
            max(each.descriptors for each in first),
        ]
        if descriptors[0] > descriptors[1] + DESCRIPTORS:
            yield f"{process} has {descriptors[0]} descriptors, and had at most {descriptors[1]}"
