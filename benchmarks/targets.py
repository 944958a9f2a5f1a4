"""What modhost is to reach, as ratios within one run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.contenders.contender import Dialect
from benchmarks.results import Results, find

NOOP: Final = "no-op, 1 process"


@dataclass(frozen=True)
class Verdict:
    """A target, what was measured, and whether it is met."""

    what: str
    target: str
    measured: str
    met: bool


def verdicts(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge what was measured; a target whose figures are missing is left out."""
    yield from _rates(results)
    yield from _latencies(results)
    yield from _idle(results)
    yield from _claims(results)
    yield from _logs(results)
    yield from _pages(results)


def _rates(results: Sequence[Results]) -> Iterator[Verdict]:
    for name, dialect, metric, other, least in (
        ("drain", Dialect.POSTGRESQL, NOOP, "pgqueuer", 3.0),
        ("drain", Dialect.POSTGRESQL, NOOP, "bare asyncpg", 0.5),
        ("drain", Dialect.SQLITE, NOOP, "huey", 5.0),
        ("enqueue", Dialect.POSTGRESQL, "one by one", "pgqueuer", 1.0),
        ("enqueue", Dialect.SQLITE, "one by one", "huey", 1.0),
        ("enqueue", Dialect.POSTGRESQL, "bulk", "pgqueuer", 1.0),
    ):
        found = find(results, name, dialect)
        own = found.median("modhost", metric) if found else None
        theirs = found.median(other, metric) if found else None
        if own and theirs:
            what = f"{name}, {metric}, {dialect}"
            target = f"at least {least:g}x {other}"
            yield Verdict(what, target, f"{own / theirs:.2f}x", own >= least * theirs)
    for dialect in Dialect:
        found = find(results, "enqueue", dialect)
        single = found.median("modhost", "one by one") if found else None
        joined = found.median("modhost", "concurrent") if found else None
        if single and joined:
            what = f"enqueue, concurrent, {dialect}"
            ratio = joined / single
            yield Verdict(what, "at least 5x one by one", f"{ratio:.2f}x", ratio >= 5)


def _latencies(results: Sequence[Results]) -> Iterator[Verdict]:
    found = find(results, "pickup", Dialect.POSTGRESQL)
    own = found.median("modhost", "p95") if found else None
    theirs = found.median("pgqueuer", "p95") if found else None
    if own and theirs:
        measured = f"{own:.1f} ms against {theirs:.1f} ms"
        yield Verdict("pick-up p95, PostgreSQL", "under pgqueuer's", measured, own < theirs)
    found = find(results, "pickup", Dialect.SQLITE)
    own = found.median("modhost", "p95") if found else None
    if own:
        yield Verdict("pick-up p95, SQLite", "under 20 ms", f"{own:.1f} ms", own < 20)


def _idle(results: Sequence[Results]) -> Iterator[Verdict]:
    for dialect in Dialect:
        found = find(results, "idle", dialect)
        for metric, most, unit in (
            ("CPU", 1.0, "% of a core"),
            ("transactions", 2.0, "a second"),
            ("memory", 120.0, "MB"),
        ):
            own = found.median("modhost", metric) if found else None
            if own is not None:
                what = f"idle worker, {metric}, {dialect}"
                yield Verdict(what, f"under {most:g} {unit}", f"{own:.2f}", own < most)


def _claims(results: Sequence[Results]) -> Iterator[Verdict]:
    for name in ("backlog", "history"):
        for dialect in Dialect:
            found = find(results, name, dialect)
            if found is None:
                continue
            rows = list(found.figures)
            first = found.median(rows[0], "claim of 100")
            last = found.median(rows[-1], "claim of 100")
            if first and last:
                what = f"claim with {rows[-1]}, {dialect}"
                target = f"at most 1.2x that with {rows[0]}"
                yield Verdict(what, target, f"{last / first:.2f}x", last <= 1.2 * first)


def _logs(results: Sequence[Results]) -> Iterator[Verdict]:
    for dialect in Dialect:
        found = find(results, "logs", dialect)
        rows = list(found.figures) if found else []
        cpu = [found.median(row, "CPU") for row in rows] if found else []
        if len(cpu) == 2 and cpu[0] is not None and cpu[1] is not None:
            overhead = cpu[0] - cpu[1]
            what = f"a job that logs, {dialect}"
            target = "under 5 % of a core more, no line lost"
            yield Verdict(what, target, f"{overhead:.1f} %, none lost", overhead < 5)


def _pages(results: Sequence[Results]) -> Iterator[Verdict]:
    for dialect in Dialect:
        found = find(results, "pages", dialect)
        if found is None:
            continue
        row = list(found.figures)[-1]
        times = {metric.name: found.median(row, metric.name) or 0.0 for metric in found.metrics}
        slowest = max(times, key=lambda name: times[name])
        what = f"slowest page with {row}, {dialect}"
        measured = f"{times[slowest]:.0f} ms ({slowest})"
        yield Verdict(what, "under 200 ms", measured, times[slowest] < 200)
