"""What idling, writes, logs, pages and large tables may cost, and how soon a rescue comes."""

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.contenders.contender import Dialect
from benchmarks.figures.results import Results, find
from benchmarks.targets.verdict import Verdict, under

# The tables of the targets; runs at a smaller size prove nothing.
ASKED: Final = {"backlog": "1,000,000 pending", "history": "10,000,000 finished"}
IDLE: Final = (
    ("CPU", 1.0, "% of a core"),
    ("statements", 2.0, "a second"),
    ("memory", 120.0, "MB"),
)
LIMIT: Final = 1.2
SHOP: Final = (
    ("dashboard, day", "processor time", 60.0, "ms"),
    ("recurring, 61 schedules", "processor time", 60.0, "ms"),
    ("recurring, 61 schedules", "bytes", 40.0, "kB"),
    ("a live viewer of the dashboard", "sent", 2.0, "kB/s"),
)
MAX_WRITTEN: Final = 1_000.0


def judge_idling(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge processor time, statements and memory of an idle worker."""
    for dialect in Dialect:
        found = find(results, "idle", dialect)
        for metric, most, unit in IDLE:
            own = found.median("modhost", metric) if found else None
            yield under(f"idle worker, {metric}, {dialect}", most, unit, own, digits=2)


def judge_writes(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge the write-ahead log of a job."""
    found = find(results, "wal", Dialect.POSTGRESQL)
    own = found.median("modhost", "in bulk and drained") if found else None
    yield under("write-ahead log of a job, PostgreSQL", MAX_WRITTEN, "B", own, digits=0)


def judge_claims(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge each size against the smallest one, and name the size that is asked for."""
    for name, asked in ASKED.items():
        for dialect in Dialect:
            found = find(results, name, dialect)
            rows = list(found.figures) if found else []
            for row in rows[1:]:
                assert found is not None
                yield _claim(found, rows[0], row)
            if asked not in rows:
                yield Verdict(f"claim with {asked}, {dialect}", f"at most {LIMIT}x that with 1,000")


def judge_logs(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge what logging and reporting cost more than the same work without them."""
    for dialect in Dialect:
        found = find(results, "logs", dialect)
        rows = list(found.figures) if found else []
        quiet = found.median(rows[0], "CPU") if found else None
        for row in rows[1:] or ("a job that logs", "a job that reports progress"):
            loud = found.median(row, "CPU") if found else None
            over = None if loud is None or quiet is None else loud - quiet
            yield under(f"{row}, over the same job without, {dialect}", 5, "% of a core", over)


def judge_rescues(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge how long a job waits whose worker was killed."""
    for dialect in Dialect:
        found = find(results, "killed", dialect)
        own = found.median("modhost", "runs again after") if found else None
        yield under(f"a job whose worker got SIGKILL runs again, {dialect}", 30, "s", own)


def judge_pages(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge the slowest page among the most jobs."""
    for dialect in Dialect:
        found = find(results, "pages", dialect)
        if found is None:
            yield Verdict(f"slowest page, {dialect}", "under 200 ms")
            continue
        amount = found.metrics[-1].name
        times = {page: found.median(page, amount) or 0.0 for page in found.figures}
        slowest = max(times, key=lambda page: times[page])
        what = f"slowest page ({slowest}) with {amount}, {dialect}"
        yield under(what, 200, "ms", times[slowest], digits=0)


def judge_shop(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge what the pages of a busy shop cost, and a viewer who stays."""
    for dialect in Dialect:
        found = find(results, "shop", dialect)
        for row, metric, most, unit in SHOP:
            own = found.median(row, metric) if found else None
            yield under(f"{row}, {metric}, {dialect}", most, unit, own)


def _claim(found: Results, first: str, row: str) -> Verdict:
    base, own = (found.median(each, "claim of 100") for each in (first, row))
    what, target = f"claim with {row}, {found.dialect}", f"at most {LIMIT}x that with {first}"
    if base is None or own is None:
        return Verdict(what, target)
    return Verdict(what, target, f"{own / base:.2f}x", own <= LIMIT * base)
