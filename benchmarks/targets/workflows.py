"""What jobs that wait for each other may cost."""

from collections.abc import Iterator, Sequence

from benchmarks.contenders.contender import Dialect
from benchmarks.figures.results import Results, find
from benchmarks.targets.verdict import Verdict

MAX_FAN_IN = 1.5
MAX_STORED = 30.0
"""Seconds, for a workflow of 100,000 jobs."""


def judge_workflows(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge a fan-in against plain jobs, and how fast a large workflow is stored."""
    for dialect in Dialect:
        found = find(results, "workflows", dialect)
        what, target = f"drain of a fan-in, {dialect}", f"at most {MAX_FAN_IN:g}x the plain one"
        plain, own = (
            found.median(each, "drain, 1 process") if found else None
            for each in ("plain", "fan-in")
        )
        if plain is None or own is None:
            yield Verdict(what, target)
        else:
            yield Verdict(what, target, f"{plain / own:.2f}x", plain <= MAX_FAN_IN * own)
    for dialect in Dialect:
        found = find(results, "workflows", dialect)
        seconds = found.median("a workflow of many jobs", "stored in") if found else None
        what, target = f"a workflow of many jobs, {dialect}", f"stored within {MAX_STORED:g} s"
        if seconds is None:
            yield Verdict(what, target)
        else:
            yield Verdict(what, target, f"{seconds:.1f} s", seconds <= MAX_STORED)
