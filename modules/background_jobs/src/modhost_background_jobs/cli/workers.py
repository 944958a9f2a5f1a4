"""`modhost jobs workers`: list them and those that left, quiet and resume."""

from typing import Any

import click

from modhost import Scope
from modhost.cli import as_json, print_result, show, with_scope
from modhost_background_jobs.contracts import BackgroundJobs, BackgroundJobsError, WorkerNotFound
from modhost_background_jobs.inspection.workers.status import DepartedWorker, Workers, WorkerStatus


@click.group()
def workers() -> None:
    """Workers: list, those that left, quiet, resume."""


@workers.command("list")
@as_json
@with_scope(BackgroundJobsError)
async def list_workers(scope: Scope, *, as_json: bool) -> None:
    """List the registered workers, the troubled ones first."""
    found = await (await scope.get(Workers)).registered()
    rows = [each.model_dump() if as_json else _line(each) for each in found]
    show(rows, as_json=as_json, empty="No worker is registered.")


@workers.command("departed")
@as_json
@with_scope(BackgroundJobsError)
async def list_departed(scope: Scope, *, as_json: bool) -> None:
    """List the workers that left within a day, and how, the last one first."""
    gone = await (await scope.get(Workers)).departed()
    rows = [each.model_dump() if as_json else _line_of_departed(each) for each in gone]
    show(rows, as_json=as_json, empty="No worker left within a day.")


@workers.command("quiet")
@click.argument("name")
@as_json
@with_scope(BackgroundJobsError, usage_errors=(WorkerNotFound,))
async def quiet_worker(scope: Scope, name: str, *, as_json: bool) -> None:
    """Have a worker claim no more jobs; it finishes those that it runs."""
    await (await scope.get(BackgroundJobs)).quiet_worker(name)
    status = await (await scope.get(Workers)).find(name)
    running = f"{status.running} job{'' if status.running == 1 else 's'}"
    sentence = f"The worker {name} is quiet: it claims nothing, and runs {running}."
    print_result(status.model_dump(), sentence, as_json=as_json)


@workers.command("resume")
@click.argument("name")
@as_json
@with_scope(BackgroundJobsError, usage_errors=(WorkerNotFound,))
async def resume_worker(scope: Scope, name: str, *, as_json: bool) -> None:
    """Have a quiet worker claim jobs again; one that is not quiet stays so."""
    await (await scope.get(BackgroundJobs)).resume_worker(name)
    status = await (await scope.get(Workers)).find(name)
    print_result(status.model_dump(), f"The worker {name} claims jobs.", as_json=as_json)


def _line(worker: WorkerStatus) -> dict[str, Any]:
    return {
        "name": worker.name,
        "state": worker.state.value,
        "running": f"{worker.running} of {worker.max_concurrency}",
        "queues": " ".join(worker.queues),
        "app_version": worker.app_version,
        "memory": None if worker.memory is None else f"{worker.memory / 2**20:,.0f} MB",
        "heartbeat_at": worker.heartbeat_at,
        "started_at": worker.started_at,
    }


def _line_of_departed(worker: DepartedWorker) -> dict[str, Any]:
    return {
        "name": worker.name,
        "departure": worker.departure.value,
        "left_at": worker.left_at,
        "heartbeat_at": worker.heartbeat_at,
        "jobs": worker.jobs,
        "app_version": worker.app_version,
    }
