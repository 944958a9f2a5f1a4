"""The command `make steps`: transactional steps under kills, and what their ledger shows."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from conftest import migrate_all
from leftovers import Watch
from postgres import Postgres
from processes.stepping.stepping import Plan, Result, Stepping


def main() -> int:
    """Run on one database or on both; return 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="make steps", description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-after", type=float, default=1.0, help="seconds between two kills")
    parser.add_argument("--broken", action="store_true", help="note steps apart, to be found")
    given = parser.parse_args()
    plan = Plan(given.steps, given.kill_after, seed=given.seed, broken=given.broken)
    watch = Watch()
    try:
        names = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
        return max([_run(name, plan) for name in names])
    finally:
        watch.end()


def _run(name: str, plan: Plan) -> int:
    with TemporaryDirectory() as folder:
        if name == "sqlite":
            return _run_at(f"sqlite:///{folder}/steps.db", name, Path(folder), plan)
        with Postgres.start() as server, server.lent() as url:
            return _run_at(url, name, Path(folder), plan)


def _run_at(url: str, name: str, folder: Path, plan: Plan) -> int:
    migrate_all(url)
    result = anyio.run(Stepping(folder / "steps", url, plan).run)
    _print(name, plan, result)
    return 1 if result.faults else 0


def _print(name: str, plan: Plan, result: Result) -> None:
    print(  # noqa: T201 - what the command is for
        f"{name}, {datetime.now(UTC):%Y-%m-%d}: {plan.steps} steps, {plan.workers} workers, "
        f"{result.seconds:.0f} s",
        f"  workers killed {result.kills}, suspended until others had their jobs "
        f"{result.suspended}; attempts {result.attempts}",
        f"  entries in the ledger {result.entries}",
        *(f"  WRONG: {each}" for each in result.faults),
        sep="\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
