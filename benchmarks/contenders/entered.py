"""The contenders that can be measured here: those whose packages, and servers, are installed."""

from collections.abc import Collection
from importlib import import_module
from typing import Final

from benchmarks.contenders.contender import Contender, Dialect

_MODULES: Final = (
    "modhost_queue",
    "bare_postgres",
    "bare_sqlite",
    "procrastinate_queue",
    "pgqueuer_queue",
    "huey_queue",
    "celery_queue",
)


def entered(names: Collection[str] = ()) -> list[Contender]:
    """Return the contenders, modhost first; with names only those."""
    found: list[Contender] = []
    for module in _MODULES:
        try:
            imported = import_module(f"benchmarks.contenders.{module}")
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("benchmarks"):
                raise
            continue
        found += [each for each in imported.contenders() if not names or each.name in names]
    return found


def named(name: str, dialect: Dialect) -> Contender:
    """Return one contender. Raises `LookupError`."""
    for each in entered([name]):
        if each.dialect is dialect:
            return each
    msg = f"There is no contender {name!r} on {dialect}."
    raise LookupError(msg)
