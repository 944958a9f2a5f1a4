"""Statements that are compiled once, for the many hosts of a run of the tests."""

from collections import defaultdict
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

STATEMENTS = 2_000


class CompiledStatements(LRUCache[Any, Any]):
    """The compiled statements of all engines of a dialect, each of which has an instance of it."""

    def get(self, key: tuple[Dialect, *tuple[Any, ...]], default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: tuple[Dialect, *tuple[Any, ...]], compiled: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), compiled)


_compiled: defaultdict[str, CompiledStatements] = defaultdict(
    lambda: CompiledStatements(STATEMENTS)
)


def engine_of_many(url: Any, **settings: Any) -> AsyncEngine:
    """Return an engine that shares its compiled statements; it is created as any other."""
    shared = {"compiled_cache": _compiled[url.drivername]}
    return create_async_engine(url, execution_options=shared, **settings)
