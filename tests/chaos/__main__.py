"""The command `make chaos`: a deployment under load, one fault after another, and an account."""

import os
import random
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import anyio

from chaos.databases.opening import served
from chaos.databases.served import Kind
from chaos.faults.catalog import FAULTS
from chaos.report import report
from chaos.trial import Plan, Trial
from leftovers import Watch


def main() -> int:
    """Run a trial on one database or on all; return 1 where something was wrong."""
    parser = ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--database", choices=[*get_args(Kind), "all"], default="all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument(
        "--fault", action="append", default=[], help="only this one; may be given several times"
    )
    parser.add_argument("--keep", type=Path, help="where to keep the ledger and the logs")
    given = parser.parse_args()
    if unknown := set(given.fault) - {fault.name for fault in FAULTS}:
        parser.error(f"unknown faults: {', '.join(sorted(unknown))}")
    plan = Plan(60 * given.minutes, given.seed, faults=given.fault)
    watch = Watch()
    try:
        kinds = get_args(Kind) if given.database == "all" else (given.database,)
        are_well = [_run(kind, plan, given.keep) for kind in kinds]
        return 0 if all(are_well) else 1
    finally:
        watch.end()


def _run(kind: Kind, plan: Plan, keep: Path | None) -> bool:
    with TemporaryDirectory() as name:
        folder = Path(name)
        run_folder = (keep or folder) / f"{kind}-{os.getpid()}"
        run_folder.parent.mkdir(exist_ok=True, parents=True)
        with served(kind, folder) as opened:
            result = anyio.run(Trial(run_folder, opened, plan).run)
        print(*report(kind, plan, result), sep="\n", flush=True)  # noqa: T201 - what it is for
        return not result.wrong


if __name__ == "__main__":
    sys.exit(main())
