"""Whether a claim costs more when more jobs wait, whatever they wait for."""

from functools import partial
from typing import Final

from benchmarks.contenders.contender import Dialect
from benchmarks.figures.results import Results
from benchmarks.measurements.claims import Scenario, add_claimed, claimed, compare_claims
from benchmarks.measurements.growth.seeding import JOB_TYPE, add_pending
from benchmarks.measurements.growth.seeding_backlogs import FAR_AWAY, Waiting, add_waiting
from benchmarks.run import Run

TYPES: Final = 100
DEFERRED: Final = Waiting("benchmarks.Noop", first=FAR_AWAY)
UNKNOWN: Final = Waiting("elsewhere.Unknown")
OF_MANY_TYPES: Final = Waiting("benchmarks.Type", types=TYPES)


async def measure(run: Run) -> list[Results]:
    """Claim a hundred jobs among ever more that wait, on each database."""
    measured = []
    for dialect in Dialect if run.has("modhost") else ():
        results = Results("backlog", "Claim over the backlog", dialect)
        results.notes.append(
            f"The median of {run.sizes.claims} claims, by turns. Deferred jobs are due in decades; "
            "those of an unknown type stand before all others and wait for another node."
        )
        await compare_claims(run, results, _scenarios(run))
        measured.append(results)
    return measured


def _scenarios(run: Run) -> dict[str, Scenario]:
    most = run.sizes.backlogs[-1]
    beside = partial(_fill_beside, run, most)
    amounts = {
        f"{amount:,} pending": Scenario(partial(_fill, run, amount))
        for amount in run.sizes.backlogs
    }
    return amounts | {
        f"{most:,} deferred": Scenario(partial(beside, DEFERRED), (JOB_TYPE, *DEFERRED.job_types)),
        f"{most:,} of an unknown type": Scenario(partial(beside, UNKNOWN)),
        f"{most:,} of {TYPES} types": Scenario(
            partial(beside, OF_MANY_TYPES), OF_MANY_TYPES.job_types
        ),
    }


async def _fill(run: Run, amount: int, dialect: Dialect, url: str) -> None:
    await add_pending(dialect, url, amount + claimed(run))


async def _fill_beside(run: Run, amount: int, waiting: Waiting, dialect: Dialect, url: str) -> None:
    """Add jobs that are claimed after those that wait."""
    await add_waiting(dialect, url, amount, waiting)
    await add_claimed(run, dialect, url)
