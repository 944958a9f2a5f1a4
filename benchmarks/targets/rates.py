"""How fast jobs get in and out, and how soon they begin, against the peers and the limit."""

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.contenders.contender import Dialect
from benchmarks.figures.results import Results, best, find
from benchmarks.targets.verdict import Verdict, at_least, under

ONE: Final = "no-op, 1 process"
TWO: Final = "no-op, 2 processes"
POSTGRES: Final = Dialect.POSTGRESQL
SQLITE: Final = Dialect.SQLITE
RATIOS: Final = (
    ("drain", POSTGRES, ONE, "pgqueuer", 1.5),
    ("drain", POSTGRES, ONE, "bare asyncpg", 0.5),
    ("drain", POSTGRES, TWO, "pgqueuer", 1.3),
    ("drain", POSTGRES, ONE, "awa", 1.0),
    ("drain", POSTGRES, TWO, "awa", 1.0),
    ("drain", POSTGRES, ONE, "procrastinate", 1.0),
    ("drain", POSTGRES, ONE, "celery", 1.0),
    ("drain", SQLITE, ONE, "huey", 5.0),
    ("drain", SQLITE, TWO, "huey", 5.0),
    ("enqueue", POSTGRES, "one by one", "pgqueuer", 1.0),
    ("enqueue", POSTGRES, "one by one", "procrastinate", 1.0),
    ("enqueue", POSTGRES, "one by one", "awa", 1.0),
    ("enqueue", SQLITE, "one by one", "huey", 1.0),
    ("enqueue", POSTGRES, "bulk", "pgqueuer", 1.0),
    ("enqueue", POSTGRES, "bulk", "procrastinate", 1.0),
    ("enqueue", POSTGRES, "bulk", "awa", 1.0),
    ("held", POSTGRES, "during", "pgqueuer", 1.0),
    ("held", POSTGRES, "during", "procrastinate", 1.0),
)
PICKUPS: Final = {
    "pgqueuer": POSTGRES,
    "procrastinate": POSTGRES,
    "awa": POSTGRES,
    "huey": SQLITE,
}


def judge_rates(results: Sequence[Results]) -> Iterator[Verdict]:
    """Compare with every peer, a contender's variants included."""
    for name, dialect, metric, other, least in RATIOS:
        found = find(results, name, dialect)
        own = found.median("modhost", metric) if found else None
        theirs = best(found, other, metric, highest=True) if found else None
        target = f"faster than {other}" if least == 1 else f"at least {least:g}x {other}"
        yield at_least(f"{name}, {metric}, {dialect}", target, own, theirs, least)
    for dialect in Dialect:
        found = find(results, "enqueue", dialect)
        single = found.median("modhost", "one by one") if found else None
        joined = found.median("modhost", "concurrent") if found else None
        what = f"enqueue, concurrent, {dialect}"
        yield at_least(what, "at least 5x one by one", joined, single, 5.0)


def judge_latencies(results: Sequence[Results]) -> Iterator[Verdict]:
    """Compare the pick-up with every peer's, and with a bound on SQLite."""
    for other, dialect in PICKUPS.items():
        own, theirs = (_p95(results, dialect, name) for name in ("modhost", other))
        what, target = f"pick-up p95, {dialect}", f"under {other}'s"
        if own is None or theirs is None:
            yield Verdict(what, target)
        else:
            yield Verdict(what, target, f"{own:.1f} ms against {theirs:.1f} ms", own < theirs)
    yield under("pick-up p95, SQLite", 20, "ms", _p95(results, SQLITE, "modhost"))


def _p95(results: Sequence[Results], dialect: Dialect, contender: str) -> float | None:
    found = find(results, "pickup", dialect)
    return found.median(contender, "p95") if found else None
