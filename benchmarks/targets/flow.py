"""What flow control may cost."""

from collections.abc import Iterator, Sequence

from benchmarks.contenders.contender import Dialect
from benchmarks.figures.results import Results, find
from benchmarks.targets.verdict import Verdict, at_least

MAX_BESIDE = 1.2
MAX_IN_TURNS = 2.0
MAX_CLAIMS = 2
MIN_SHARE = 0.5
HELD = "100,000 behind one key beside"
IN_TURNS = "1,000,000 in turns"


def judge_flow(results: Sequence[Results]) -> Iterator[Verdict]:
    """Judge a drain with limits against a plain one, and claims beside and among many jobs."""
    for dialect in Dialect:
        found = find(results, "flow", dialect)
        row = "a limit for each of 1,000 keys"
        plain, own = (
            found.median(each, "drain, 1 process") if found else None for each in ("plain", row)
        )
        target = f"at least {MIN_SHARE:g}x the plain one"
        yield at_least(f"drain with {row}, {dialect}", target, own, plain, MIN_SHARE)
    for dialect in Dialect:
        found = find(results, "lanes", dialect)
        yield _claim(found, dialect, HELD, "1,000 with limits", MAX_BESIDE)
        yield _claim(found, dialect, IN_TURNS, "1,000,000 by due time", MAX_IN_TURNS)
        yield _new_key(found, dialect)


def _claim(found: Results | None, dialect: Dialect, row: str, first: str, most: float) -> Verdict:
    what, target = f"claim with {row}, {dialect}", f"at most {most:g}x that with {first}"
    base, own = (found.median(each, "claim of 100") if found else None for each in (first, row))
    if base is None or own is None:
        return Verdict(what, target)
    return Verdict(what, target, f"{own / base:.2f}x", own <= most * base)


def _new_key(found: Results | None, dialect: Dialect) -> Verdict:
    what, target = f"a new key among {IN_TURNS}, {dialect}", f"starts within {MAX_CLAIMS} claims"
    claims = found.median(IN_TURNS, "until a new key starts") if found else None
    if claims is None:
        return Verdict(what, target)
    return Verdict(what, target, f"{claims:.0f} claims", claims <= MAX_CLAIMS)
