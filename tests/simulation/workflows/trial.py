"""One storm of workflows, and what it violates."""

from sqlalchemy import select

from background_jobs.workflows.racing.consistency import inconsistencies
from modhost.database import Database
from modhost_background_jobs.storage.tables import WORKFLOWS
from simulation.flow.invariants import (
    no_key_runs_more_than_its_concurrency,
    no_two_jobs_of_a_unique_key_live,
    no_window_has_more_starts_than_the_rate,
)
from simulation.flow.replay import Replay
from simulation.workers.invariants import final_states_are_final, violations
from simulation.workflows.invariants import StoredWorkflow, workflow_violations
from simulation.workflows.storm import WorkflowStorm

OF_FLOW = (
    no_key_runs_more_than_its_concurrency,
    no_two_jobs_of_a_unique_key_live,
    no_window_has_more_starts_than_the_rate,
)


def found_in(storm: WorkflowStorm) -> list[str]:
    """Run a storm, and return a sentence for each violated invariant."""
    history = storm.run()
    replay = Replay(history, storm.control)
    stored = storm.read(_stored)
    inconsistent = storm.read(inconsistencies)
    return [
        *violations(history, without=[final_states_are_final]),
        *(f"{check.__name__}: {each}" for check in OF_FLOW for each in check(replay)),
        *workflow_violations(storm.graph, replay, stored, inconsistent),
    ]


async def _stored(database: Database) -> list[StoredWorkflow]:
    columns = [WORKFLOWS.c[name] for name in StoredWorkflow._fields]
    async with database.reading() as session:
        rows = await (await session.connection()).execute(select(*columns))
        return [StoredWorkflow(*row) for row in rows]
