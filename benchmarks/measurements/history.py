"""Whether a claim costs more when more jobs have ended."""

from benchmarks.contenders.contender import Dialect
from benchmarks.measurements.claims import BATCH, WARM_UP, compare_claims
from benchmarks.measurements.seeding import add_finished, add_pending
from benchmarks.results import Results
from benchmarks.run import Run


async def measure(run: Run) -> list[Results]:
    """Claim a hundred jobs beside ever more finished ones, on each database."""
    measured = []
    for dialect in Dialect if run.has("modhost") else ():
        results = Results("history", "Claim over the history", dialect)
        results.notes.append(f"The median of {run.sizes.claims} claims, by turns.")

        async def seed(dialect: Dialect, url: str, amount: int) -> None:
            await add_finished(dialect, url, amount)
            await add_pending(dialect, url, (WARM_UP + run.sizes.claims) * BATCH)

        await compare_claims(run, results, run.sizes.histories, seed, "finished")
        measured.append(results)
    return measured
