"""One run: what every measurement is given."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.contenders.contender import Contender, Dialect
from benchmarks.databases import Databases
from benchmarks.fork_servers import ForkServers
from benchmarks.sizes import Sizes


@dataclass(frozen=True)
class Run:
    """The contenders, the databases, the sizes and where workers come from."""

    contenders: list[Contender]
    databases: Databases
    sizes: Sizes
    rounds: int
    fork_servers: ForkServers

    def turns(
        self, dialect: Dialect, *, with_limits: bool = True, with_variants: bool = False
    ) -> Iterator[Contender]:
        """Go round the contenders on a database, so that each has its turn in every round.

        The machine's good and bad moments then hit all of them alike.
        """
        for _ in range(self.rounds):
            for contender in self.contenders:
                if contender.is_limit and not with_limits:
                    continue
                if contender.is_variant and not (with_variants and self.sizes.variants):
                    continue
                if contender.dialect is dialect:
                    yield contender

    def own_turns(self, dialect: Dialect) -> Iterator[Contender]:
        """Return modhost on a database, if it takes part, once for every round."""
        return (each for each in self.turns(dialect) if each.name == "modhost")

    def has(self, name: str) -> bool:
        """Return whether a contender takes part."""
        return any(contender.name == name for contender in self.contenders)
