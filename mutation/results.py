"""What became of each mutant, kept so that a run can continue, and the score."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import Final

Z_95: Final = 1.96
TRIED: Final = ("killed", "hung", "survived", "untested")


@dataclass(frozen=True)
class Result:
    """`outcome` is killed, hung, survived, or untested when no test executes the change."""

    mutant: str
    area: str
    outcome: str
    tests: int
    seconds: float
    killer: str
    difference: str


class Results:
    """A file with a line for each mutant; the last line of one counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.found: dict[str, Result] = {}
        if file.exists():
            for line in file.read_text().splitlines():
                result = Result(**json.loads(line))
                self.found[result.mutant] = result

    def add(self, result: Result) -> None:
        """Keep what became of a mutant."""
        self.found[result.mutant] = result
        with self._file.open("a") as written:
            written.write(json.dumps(asdict(result)) + "\n")

    def survivors(self) -> list[Result]:
        """Return those that no test has noticed."""
        return [each for each in self.found.values() if each.outcome in ("survived", "untested")]


def table(results: Sequence[Result], sizes: Counter[str]) -> Iterator[str]:
    """Yield the lines of the score in Markdown; `sizes` is how many mutants each area has."""
    yield "| area | mutants | tried | killed | of these hung | survived | score | 95 % interval |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for area, size in sizes.items():
        there = [each for each in results if each.area == area and each.outcome in TRIED]
        outcomes = Counter(each.outcome for each in there)
        killed = outcomes["killed"] + outcomes["hung"]
        low, high = interval(killed, len(there), size)
        yield (
            f"| {area} | {size} | {len(there)} | {killed} | {outcomes['hung']} | "
            f"{len(there) - killed} | {100 * killed / max(1, len(there)):.1f} % | "
            f"{100 * low:.1f} to {100 * high:.1f} % |"
        )


def interval(killed: int, tried: int, size: int) -> tuple[float, float]:
    """Return Wilson's interval of the share, narrowed by how much of the whole was tried."""
    if tried == 0:
        return 0.0, 1.0
    share = killed / tried
    if tried >= size:
        return share, share
    n = tried * (size - 1) / (size - tried)
    middle = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
    half = Z_95 / (1 + Z_95**2 / n) * sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    return middle - half, middle + half
