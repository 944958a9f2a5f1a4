"""Whether a claim costs more when more jobs have ended."""

from functools import partial

from benchmarks.contenders.contender import Dialect
from benchmarks.figures.results import Results
from benchmarks.measurements.claims import Scenario, add_claimed, compare_claims
from benchmarks.measurements.growth.seeding import add_finished
from benchmarks.run import Run


async def measure(run: Run) -> list[Results]:
    """Claim a hundred jobs beside ever more finished ones, on each database."""
    measured = []
    for dialect in Dialect if run.has("modhost") else ():
        results = Results("history", "Claim over the history", dialect)
        results.notes.append(f"The median of {run.sizes.claims} claims, by turns.")
        scenarios = {
            f"{amount:,} finished": Scenario(partial(_fill, run, amount))
            for amount in run.sizes.histories
        }
        await compare_claims(run, results, scenarios)
        measured.append(results)
    return measured


async def _fill(run: Run, amount: int, dialect: Dialect, url: str) -> None:
    await add_finished(dialect, url, amount)
    await add_claimed(run, dialect, url)
