"""No key has more than its limit at a time, no period more starts, and no unique job a second."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from chaos.judging.account import SECOND, Account, Run, Span
from chaos.judging.stored import Stored

WINDOW_SECONDS = 1e-6
"""Times are stored in microseconds."""


def excesses(account: Account) -> Iterator[str]:
    """Return a sentence for each moment at which more attempts ran than the limit of a key.

    An attempt counts until its process died or was cut off: from then on its job may be given to
    another worker, and what the process still does is not the queue's any more.
    """
    changes: list[tuple[int, int, str, Run]] = []
    impaired = account.named("impaired")
    for run in account.runs:
        ended = _counted_until(account, impaired, run) if run.keys else None
        for key in run.keys if ended is not None and ended > run.began else ():
            changes += [(run.began, 1, key, run), (ended or 0, -1, key, run)]
    running: dict[str, list[Run]] = defaultdict(list)
    # What ends at a moment makes room for what begins then.
    for at, change, key, run in sorted(changes, key=lambda each: each[:3]):
        if change < 0:
            running[key].remove(run)
            continue
        running[key].append(run)
        limit = int(key.partition(":")[0])
        if len(running[key]) > limit:
            jobs = ", ".join(f"{each.job} in {each.pid}" for each in running[key])
            yield f"{len(running[key])} run of a limit of {key} at {at / SECOND:.3f}: {jobs}"


def _counted_until(account: Account, impaired: Sequence[Span], run: Run) -> int | None:
    ended = account.ended_at(run)
    for span in impaired:
        if ended and span.is_of(run) and run.began <= (span.ended or ended):
            ended = min(ended, span.began)
    return ended


def fast_starts(stored: Stored) -> Iterator[str]:
    """Return a sentence for each window of a period with more starts than the limit of a rate."""
    for key, (limit, period, times) in stored.starts.items():
        times = sorted(times)
        for first, last in zip(times, times[limit:], strict=False):
            if last - first < period - WINDOW_SECONDS:
                yield f"{limit + 1} starts of {key} within {last - first:.3f} s, and not {period} s"


def twins(account: Account) -> Iterator[str]:
    """Return a sentence for each two jobs of one unique key that were there at the same time."""
    spans: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    impaired = account.named("impaired")
    for job, runs in account.by_job.items():
        offer = account.offers.get(runs[0].token)
        if offer is not None and (key := offer.facts.get("unique")):
            ends = [_counted_until(account, impaired, run) or run.began for run in runs]
            spans[key].append((min(run.began for run in runs), max(ends), job))
    for key, lives in spans.items():
        lives.sort()
        for (_, ended, job), (began, _, other) in pairwise(lives):
            if began < ended:
                yield f"{job} and {other} are both there, and of the unique key {key}"
