"""The limits of job classes: numbers, periods, and names that several of them share."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

from modhost.checks import Rule
from modhost_background_jobs.contracts.flow import (
    Concurrency,
    Rate,
    declared_limits,
    limit_name,
)
from modhost_background_jobs.contracts.flow_checks import is_queue_name
from modhost_background_jobs.contracts.job_checks.problem import Problem

DIFFERENT_LIMITS: Final = Rule("MH614", "Limits of one name differ")

MAX_LIMIT: Final = 1_000_000
LONGEST: Final = timedelta(days=36_500)


def is_limit(value: Any) -> bool:
    """Return whether a limit is one that can be kept."""
    if not isinstance(value, Concurrency | Rate):
        return False
    is_number = type(value.limit) is int and 1 <= value.limit <= MAX_LIMIT
    is_named = value.name is None or is_queue_name(value.name)
    return is_number and is_named and is_per(value.per) and _has_period(value)


def is_per(value: Any, *, needed: bool = False) -> bool:
    """Return whether a value names fields of data."""
    if value is None:
        return not needed
    names = value if isinstance(value, tuple) else (value,)
    return bool(names) and all(isinstance(each, str) and all(each.split(".")) for each in names)


def is_period(value: Any) -> bool:
    """Return whether a value is the length of a window."""
    return isinstance(value, timedelta) and timedelta(0) < value <= LONGEST


def conflicts(job: Any, job_type: str, others: Iterable[tuple[str, Any]] = ()) -> Iterator[Problem]:
    """Yield what is wrong with limits of one name, of a class and of those before it.

    Args:
        job: the class.
        job_type: the name under which it is stored.
        others: the names and classes that were registered before.

    """
    known: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for other_type, other in others:
        for name, declared in _described(other, other_type):
            known[name].append((other_type, declared))
    for name, declared in _described(job, job_type):
        for other_type, before in known[name]:
            if before != declared:
                detail = f"the limit {name!r} of {job_type} is {declared}, "
                detail += f"and that of {other_type} is {before}."
                remedy = "Give one of them another name, or make them the same."
                yield Problem(DIFFERENT_LIMITS, detail, remedy)
                break
        known[name].append((job_type, declared))


def _described(job: Any, job_type: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each limit of a class, and what it counts."""
    for limit in declared_limits(job):
        period = f" in {limit.period}" if isinstance(limit, Rate) else ""
        kind = "Rate" if isinstance(limit, Rate) else "Concurrency"
        yield limit_name(job_type, limit), f"{kind} {limit.limit}{period}"


def _has_period(limit: Concurrency | Rate) -> bool:
    return isinstance(limit, Concurrency) or is_period(limit.period)
