"""Workflows of every state, small and large."""

from collections.abc import Mapping
from uuid import UUID

import anyio

from modhost_background_jobs.contracts import JobState, WorkflowId, WorkflowSummary
from pages.demo import ImportCustomersJob, RebuildSearchIndexJob, SendInvoicesJob, Steps
from pages.site import Site


async def nightly_import(
    served: Site, *, pages: int = 12, fail_at: int | None = None, pause: float = 0.0
) -> tuple[UUID, UUID]:
    """Start a workflow that fans out and in; return its id, and that of the job that fans in."""
    async with served.scheduling.workflow("Nightly import of customers") as workflow:
        imports = [
            workflow.add(ImportCustomersJob, Steps(fail_at=fail_at if not number else None))
            for number in range(pages)
        ]
        index = workflow.add(RebuildSearchIndexJob, Steps(pause=pause, steps=500), after=imports)
        invoices = workflow.add(SendInvoicesJob, Steps(), after=index)
        workflow.add(SendInvoicesJob, Steps(), after=index, when="failed")
        workflow.add(RebuildSearchIndexJob, Steps(), after=[index, invoices], when="finished")
    return workflow.id, index.job_id


async def ended(served: Site, workflow_id: UUID) -> WorkflowSummary:
    """Wait until all jobs of a workflow have finished."""
    with anyio.fail_after(60):
        while True:
            found = await served.scheduling.get_workflow(WorkflowId(workflow_id))
            assert found is not None
            if found.state.is_final:
                return found
            await anyio.sleep(0.05)


async def started(served: Site) -> Mapping[str, str]:
    """Make some workflows; return the paths of their pages by a name for each."""
    done, _ = await nightly_import(served)
    failed, _ = await nightly_import(served, fail_at=1)
    await ended(served, done)
    await ended(served, failed)
    running, index = await nightly_import(served, pages=3, pause=2)
    await served.reaches(index, JobState.RUNNING)
    path = "/admin/jobs/workflows"
    return {
        "workflows": path,
        "finished workflow": f"{path}/{done}",
        "failed workflow": f"{path}/{failed}",
        "running workflow": f"{path}/{running}",
        "cancel workflow": f"{path}/{running}/cancel",
        "retry workflow": f"{path}/{failed}/retry",
        "job of a workflow": f"/admin/jobs/{index}",
    }
