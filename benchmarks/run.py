"""One run: what every measurement is given."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.contenders.contender import Contender, Dialect
from benchmarks.databases import Databases
from benchmarks.sizes import Sizes


@dataclass(frozen=True)
class Run:
    """The contenders, the databases and the sizes of a run."""

    contenders: list[Contender]
    databases: Databases
    sizes: Sizes
    rounds: int

    def turns(self, dialect: Dialect, *, with_limits: bool = True) -> Iterator[Contender]:
        """Go round the contenders on a database, so that each has its turn in every round.

        The machine's good and bad moments then hit all of them alike.
        """
        for _ in range(self.rounds):
            for contender in self.contenders:
                if contender.dialect is dialect and (with_limits or not contender.is_limit):
                    yield contender

    def has(self, name: str) -> bool:
        """Return whether a contender takes part."""
        return any(contender.name == name for contender in self.contenders)
