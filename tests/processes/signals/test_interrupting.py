"""A signal to the whole process group, as Ctrl-C and service managers send it, costs no attempt."""

import os
import signal
from itertools import product

import pytest

from modhost_background_jobs.contracts import JobState
from processes.deployment import Deployment
from processes.signals.program_jobs import AsyncProgramJob, ProgramApartJob, ProgramJob
from processes.stage import Act, ActingJob
from sweeps import swept

pytestmark = pytest.mark.anyio


INTERRUPTED, TERMINATED = signal.SIGINT, signal.SIGTERM


@pytest.mark.parametrize(
    ("database_url", "job", "number"),
    swept(
        product(
            ("sqlite", "postgresql"),
            (ProgramJob, ProgramApartJob, AsyncProgramJob),
            (INTERRUPTED, TERMINATED),
        ),
        # Each signal with each kind of job.
        always=[
            ("sqlite", ProgramJob, INTERRUPTED),
            ("sqlite", ProgramApartJob, TERMINATED),
            ("sqlite", AsyncProgramJob, INTERRUPTED),
            ("postgresql", ProgramJob, TERMINATED),
            ("postgresql", ProgramApartJob, INTERRUPTED),
            ("postgresql", AsyncProgramJob, TERMINATED),
        ],
    ),
    indirect=["database_url"],
)
async def test_a_job_whose_program_dies_of_the_same_signal_spends_nothing(
    deployment: Deployment, job: type[ActingJob], number: signal.Signals
) -> None:
    """Its only attempt was spent, before the worker had noticed the signal."""
    worker = await deployment.start(shutdown_grace="2s").ready()
    job_id = await deployment.enqueue(job, Act(), max_attempts=1)
    await deployment.marked("started")
    (program,) = deployment.marks("program")
    os.killpg(worker.pid, number)
    if job is ProgramApartJob:
        # In a session of its own, which a service manager finds all the same.
        os.kill(int(program.name), number)
    assert await worker.exit_code() == 0
    detail = await deployment.detail(job_id)
    assert (detail.state, detail.retry_count) == (JobState.PENDING, 0), detail.error
    # The worker took the job again while it shut down.
    (attempt,) = detail.attempts
    error = str(attempt.error)
    assert error.startswith("released: its worker shut down.")
    assert ("the program died" if job is AsyncProgramJob else "CalledProcessError") in error
