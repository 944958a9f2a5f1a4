"""All targets, in the order of the table."""

from collections.abc import Iterator, Sequence

from benchmarks.figures.results import Results
from benchmarks.targets.costs import (
    judge_claims,
    judge_idling,
    judge_logs,
    judge_pages,
    judge_rescues,
    judge_shop,
    judge_writes,
)
from benchmarks.targets.flow import judge_flow
from benchmarks.targets.rates import judge_latencies, judge_rates
from benchmarks.targets.verdict import Verdict
from benchmarks.targets.workflows import judge_workflows


def verdicts(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge what was measured, and name what was not."""
    for judge in (
        judge_rates,
        judge_latencies,
        judge_writes,
        judge_idling,
        judge_claims,
        judge_flow,
        judge_workflows,
        judge_rescues,
        judge_logs,
        judge_pages,
        judge_shop,
    ):
        yield from judge(results)
