"""The command `make steps`: transactional steps under kills, and what their ledger shows."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio

from processes.commands import command, run_on
from processes.stepping.stepping import Plan, Result, Stepping


def main() -> int:
    """Run on one database or on both; return 1 where something was wrong."""
    parser = command("steps", __doc__, kill_after=1.0)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--broken", action="store_true", help="note steps apart, to be found")
    given = parser.parse_args()
    plan = Plan(given.steps, given.kill_after, seed=given.seed, broken=given.broken)

    def run(url: str, name: str, folder: Path) -> bool:
        result = anyio.run(Stepping(folder, url, plan).run)
        _print(name, plan, result)
        return not (result.faults)

    return run_on(given.database, run)


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
