"""The command `make race`: a race of a size on a database, and what its ledger shows."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio

from processes.commands import command, run_on
from processes.racing.broken import VARIANTS
from processes.racing.race import KEYS, Plan, Race, Result

EXCESSES_SHOWN = 5


def main() -> int:
    """Run the race on one database or on both; return 1 where something was wrong."""
    parser = command("race", __doc__, kill_after=2.0)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--broken", choices=["", *VARIANTS], default="")
    given = parser.parse_args()
    plan = Plan(given.jobs, given.kill_after, seed=given.seed, broken=given.broken)

    def run(url: str, name: str, folder: Path) -> bool:
        result = anyio.run(Race(folder, url, plan).run)
        _print(name, plan, result)
        return not (result.faults or result.excesses)

    return run_on(given.database, run)


def _print(name: str, plan: Plan, result: Result) -> None:
    account, starts = result.account, result.starts
    first = f", the first after {account.begun_before} begins" if account.excesses else ""
    most: dict[int, int] = {}
    for key, limit in sorted(account.limits.items()):
        most[limit] = max(account.most[key], most.get(limit, 0))
    at_once = ", ".join(f"{n} of a limit of {limit}" for limit, n in sorted(most.items()))
    begins = sum(account.begins.values())
    print(  # noqa: T201 - what the command is for
        f"{name}, {datetime.now(UTC):%Y-%m-%d}: {plan.jobs} jobs, {plan.workers} workers, "
        f"{KEYS} keys, {result.seconds:.0f} s",
        f"  workers killed {result.kills}, stopped {result.stops}; runs cut off {account.cut_off}",
        f"  begins {begins}; jobs {result.states}, lost {len(result.missing)}",
        f"  at most at once {at_once}; moments above a limit {len(account.excesses)}{first}",
        f"  starts under rates {starts.recorded}; windows above a limit {len(starts.excesses)}",
        f"  deadlocks {result.deadlocks}; living workers taken for dead {result.lost_leases}",
        *(f"  WRONG: {each}" for each in [*result.faults, *result.excesses[:EXCESSES_SHOWN]]),
        sep="\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
