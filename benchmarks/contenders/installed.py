"""The contenders that can be measured here: those whose packages, and servers, are installed."""

from collections.abc import Collection
from importlib import import_module
from typing import Final

from benchmarks.contenders.contender import Contender, Dialect

_MODULES: Final = {
    "modhost": "modhost_queue",
    "bare asyncpg": "bare_postgres",
    "bare sqlite3": "bare_sqlite",
    "procrastinate": "peers.procrastinate_queue",
    "pgqueuer": "peers.pgqueuer_queue",
    "awa": "peers.awa_queue",
    "huey": "peers.huey_queue",
    "celery": "peers.celery_queue",
}


def installed(names: Collection[str] = ()) -> list[Contender]:
    """Return the contenders, modhost first; with names only those, and no other is imported."""
    found: list[Contender] = []
    for name, module in _MODULES.items():
        if names and name not in names:
            continue
        try:
            imported = import_module(f"benchmarks.contenders.{module}")
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("benchmarks"):
                raise
            continue
        found += imported.contenders()
    return found


def kind_of(name: str) -> str:
    """Return the name without its variant, which is in the same module."""
    return name.partition(" (")[0]


def named(name: str, dialect: Dialect) -> Contender:
    """Return one contender. Raises `LookupError`."""
    for each in installed([kind_of(name)]):
        if each.name == name and each.dialect is dialect:
            return each
    msg = f"There is no contender {name!r} on {dialect}."
    raise LookupError(msg)
