"""The command `make kills`: workflows on a database whose workers are killed again and again."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from conftest import migrate_all
from leftovers import Watch
from postgres import Postgres
from processes.killing.kills import Kills, Plan, Result

FAULTS_SHOWN = 10


def main() -> int:
    """Run it on one database or on both; return 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument("--workflows", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=50, help="of each workflow")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-after", type=float, default=0.8, help="seconds between two kills")
    given = parser.parse_args()
    plan = Plan(given.workflows, given.jobs, given.kill_after, seed=given.seed)
    watch = Watch()
    try:
        names = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
        return max([_run(name, plan) for name in names])
    finally:
        watch.end()


def _run(name: str, plan: Plan) -> int:
    with TemporaryDirectory() as folder:
        if name == "sqlite":
            return _run_at(f"sqlite:///{folder}/kills.db", name, Path(folder), plan)
        with Postgres.start() as server, server.lent() as url:
            return _run_at(url, name, Path(folder), plan)


def _run_at(url: str, name: str, folder: Path, plan: Plan) -> int:
    migrate_all(url)
    result = anyio.run(Kills(folder / "kills", url, plan).run)
    _print(name, plan, result)
    return 1 if result.faults else 0


def _print(name: str, plan: Plan, result: Result) -> None:
    account = result.account
    print(  # noqa: T201 - what the command is for
        f"{name}, {datetime.now(UTC):%Y-%m-%d}: {plan.workflows} workflows of {plan.jobs} jobs, "
        f"{plan.workers} workers, {result.seconds:.0f} s",
        f"  workers killed {result.kills}; runs {account.begins}, cut off {account.cut_off}",
        f"  jobs {result.states}; workflows {result.outcomes}",
        f"  deadlocks {result.deadlocks}; living workers taken for dead {result.taken_for_dead}",
        f"  jobs that ran, or did not run, as they must not: {len(result.faults)}",
        *(f"  WRONG: {each}" for each in result.faults[:FAULTS_SHOWN]),
        sep="\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
