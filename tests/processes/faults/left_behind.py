"""A test that never ends, for a run that is killed: `test_leftovers.py` starts it."""

import json
import os
from pathlib import Path

import anyio
import pytest

from postgres import Postgres
from processes.acting import StuckJob
from processes.deployment import Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio

STARTED = "STARTED_BY_THE_KILLED_RUN"


async def test_that_never_ends(tmp_path: Path, postgres: Postgres, postgres_url: str) -> None:
    async with Deployment(tmp_path / "deployment", postgres_url).producing() as deployment:
        worker = await deployment.start().ready()
        await deployment.enqueue(StuckJob, Act())
        (job,) = await deployment.marked("started")
        (program,) = deployment.marks("program")
        server = postgres.server.get_postmaster_info().process
        pids = {
            "pytest": os.getpid(),
            "worker": worker.pid,
            "job": job.process,
            "program of the job": int(program.name),
            "postgres": server.pid,
        }
        folder = str(postgres.server.pgdata.parent)
        started = Path(os.environ[STARTED])
        partial = started.with_suffix(".partial")
        partial.write_text(json.dumps({"pids": pids, "folder": folder}))
        partial.rename(started)
        await anyio.sleep_forever()
