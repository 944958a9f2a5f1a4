"""Whether a soak was flat: the last third of it against the middle one."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks.soak.sampling import Sample
from benchmarks.targets.verdict import Verdict

# What may be more in the last third, as a multiple and in its own unit: jobs are deleted once a
# minute, and dead rows go when autovacuum comes, so that both are saws.
GROWTH: Final = {
    "backlog": (1.5, 2_000, "jobs that wait"),
    "dead": (1.5, 20_000, "dead rows"),
    "size": (1.1, 20, "MB on disk"),
    "memory": (1.1, 5, "MB of the worker"),
}
MIN_RATE: Final = 0.95


def judge(samples: Sequence[Sample]) -> list[Verdict]:
    """Judge what must not fall, and what must not grow; the first third is for warming up."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    before, after = (median(each.rate for each in part) for part in (middle, last))
    verdicts = [
        Verdict(
            "jobs a second",
            f"at least {MIN_RATE:g}x",
            f"{after:,.0f} after {before:,.0f}",
            after >= MIN_RATE * before,
        )
    ]
    for name, (multiple, slack, unit) in GROWTH.items():
        before, after = (max(getattr(each, name) for each in part) for part in (middle, last))
        target = f"at most {multiple:g}x and {slack:,} more"
        met = after <= multiple * before + slack
        verdicts.append(Verdict(unit, target, f"{after:,.0f} after {before:,.0f}", met))
    return verdicts


def as_markdown(samples: Sequence[Sample], verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as a table, and after it one line for every tenth of the time."""
    rows = [f"| {v.what} | {v.target} | {v.measured} | {v.word} |" for v in verdicts]
    head = ["| last third against middle one | wanted | measured | flat |", "| --- " * 4 + "|"]
    step = max(1, len(samples) // 10)
    return "\n".join([*head, *rows, "", *map(str, samples[step - 1 :: step])])
