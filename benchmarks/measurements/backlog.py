"""Whether a claim costs more when more jobs wait."""

from benchmarks.contenders.contender import Dialect
from benchmarks.measurements.claims import BATCH, WARM_UP, compare_claims
from benchmarks.measurements.seeding import add_pending
from benchmarks.results import Results
from benchmarks.run import Run


async def measure(run: Run) -> list[Results]:
    """Claim a hundred jobs among ever more pending ones, on each database."""
    measured = []
    for dialect in Dialect if run.has("modhost") else ():
        results = Results("backlog", "Claim over the backlog", dialect)
        results.notes.append(f"The median of {run.sizes.claims} claims, by turns.")

        async def seed(dialect: Dialect, url: str, amount: int) -> None:
            await add_pending(dialect, url, amount + _taken(run))

        await compare_claims(run, results, run.sizes.backlogs, seed, "pending")
        measured.append(results)
    return measured


def _taken(run: Run) -> int:
    """Return how many jobs the claims take away."""
    return (WARM_UP + run.sizes.claims) * BATCH
