"""All mutants of a file: where an operator changes something that is not skipped."""

import ast
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Final

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from mutation.changes import all_operators
from mutation.skipped import skipped_in

_OPERATORS = all_operators()
# A star is also in a signature.
_CALCULATIONS: Final = ("arith_expr", "term", "expr", "and_expr")


@dataclass(frozen=True, order=True)
class Mutant:
    """One change of one file."""

    file: str
    operator: str
    occurrence: int
    line: int

    @property
    def area(self) -> str:
        """The part of the queue that it is in."""
        return self.file.partition("/")[0]

    @property
    def name(self) -> str:
        """What it is told apart by."""
        return f"{self.file}:{self.line} {self.operator} {self.occurrence}"

    def applied_to(self, source: str) -> str | None:
        """Return the source with the change; None if it says the same, or cannot be compiled."""
        changed = mutate_code(source, _OPERATORS[self.operator], self.occurrence)
        if changed is None:
            return None
        try:
            same = ast.dump(ast.parse(source)) == ast.dump(ast.parse(changed))
        except SyntaxError:
            return None
        return None if same else str(changed)


def mutants_of(root: Path, areas: Iterable[str]) -> list[Mutant]:
    """Return all mutants of some areas, those of a file together."""
    found: list[Mutant] = []
    for area in areas:
        for path in sorted((root / area).rglob("*.py")):
            if "tables" in path.parts:
                continue  # Compared with what the migrations make, which is not changed.
            found += _mutants_in(path.read_text(), str(path.relative_to(root)))
    return found


def _mutants_in(source: str, file: str) -> Iterator[Mutant]:
    # A constant of cron is not a tolerance: its times are due, or they are not.
    skipped = skipped_in(ast.parse(source), tolerances=not file.startswith("cron/"))
    nodes = list(ast_nodes(get_ast(source)))
    for name, operator in _OPERATORS.items():
        positions = ((at, node) for node in nodes for at, _ in operator.mutation_positions(node))
        for occurrence, (at, node) in enumerate(positions):
            if "BinaryOperator" in name and node.parent.type not in _CALCULATIONS:
                continue
            if name == "NumberReplacer" and occurrence % 2:
                continue  # One less, where one more is tried.
            if not any(start <= at < end for start, end in skipped):
                yield Mutant(file, name, occurrence, at[0])


def sampled(mutants: Iterable[Mutant], size: int | None, seed: int) -> list[Mutant]:
    """Return the mutants in an order that the seed tells, and at most `size` of them."""
    # Not of secrets: the same sample has to be drawn again.
    shuffled = sorted(mutants)
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    return shuffled if size is None else shuffled[:size]


def difference(source: str, changed: str) -> str:
    """Return the lines that differ."""
    lines = unified_diff(source.splitlines(), changed.splitlines(), lineterm="", n=1)
    return "\n".join(list(lines)[2:])
