"""The command `make fuzz`: attack each target for its share of the time, on each database."""

import json
import logging
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fuzzing.attacked import Hung, attacked
from fuzzing.campaign import Result, corpus_of, explore
from fuzzing.targets.all import TARGETS
from processes.commands import run_on

FAILING: Final = Path("var/fuzz")


def main() -> int:
    """Attack the targets; return 1 where one of them fails."""
    parser = ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="in all, for each database")
    parser.add_argument("--target", choices=["all", *TARGETS], default="all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--input", type=Path, help="a file of inputs to try alone, one a line")
    given = parser.parse_args()
    logging.disable(logging.INFO)
    names = list(TARGETS) if given.target == "all" else [given.target]
    seconds = 0.0 if given.input else given.minutes * 60 / len(names)

    def run(url: str, database: str, _: Path) -> bool:
        with attacked(url) as host:
            found = {}
            for name in names:
                target = TARGETS[name](host)
                known = corpus_of(name, given.input)
                found[name] = explore(target, known, seconds, given.seed)
                _print(database, name, given.seed, found[name])
                host.is_well()
        return not any(each.fault for each in found.values())

    return run_on(given.database, run)


def _print(database: str, name: str, seed: int, result: Result) -> None:
    outcomes = ", ".join(f"{each} {n}" for each, n in sorted(result.outcomes.items()))
    tried = f"{result.tried} inputs in {result.seconds:.0f} s from seed {seed}"
    lines = [f"{datetime.now(UTC):%Y-%m-%d} {database} {name}: {tried}: {outcomes}"]
    if result.fault:
        file = FAILING / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(result.failing) + "\n", "utf-8")
        lines += [
            f"  WRONG: {result.fault}",
            f"  smallest input: {json.dumps(result.failing)}",
            f"  again: make fuzz DATABASE={database} TARGET={name} INPUT={file}",
            f"  once fixed, the line belongs into tests/fuzzing/corpora/{name}.jsonl",
        ]
    print(*lines, sep="\n", flush=True)  # noqa: T201 - what the command is for


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Hung as hung:
        sys.exit(f"WRONG: {hung}")
