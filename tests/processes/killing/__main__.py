"""The command `make kills`: workflows on a database whose workers are killed again and again."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio

from processes.commands import command, run_on
from processes.killing.kills import Kills, Plan, Result

FAULTS_SHOWN = 10


def main() -> int:
    """Run it on one database or on both; return 1 where something was wrong."""
    parser = command("kills", __doc__, kill_after=0.8)
    parser.add_argument("--workflows", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=50, help="of each workflow")
    given = parser.parse_args()
    plan = Plan(given.workflows, given.jobs, given.kill_after, seed=given.seed)

    def run(url: str, name: str, folder: Path) -> bool:
        result = anyio.run(Kills(folder, url, plan).run)
        _print(name, plan, result)
        return not (result.faults)

    return run_on(given.database, run)


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
