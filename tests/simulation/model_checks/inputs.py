"""What the steps of a simulation draw from."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from background_jobs.support import TYPES
from modhost_background_jobs.contracts import CatchUpPolicy, JobState, OverlapPolicy
from modhost_background_jobs.model import NewJob, ScheduleDefinition

NIGHTLY = ScheduleDefinition(
    name="nightly",
    cron_expression="*/10 * * * *",
    time_zone="UTC",
    job_type=TYPES[0],
    module_name="tests",
    data=None,
    overlap=OverlapPolicy.SKIP,
    catch_up=CatchUpPolicy.ONE,
    max_attempts=3,
    timeout_seconds=None,
)

WORKERS = ("w1", "w2", "w3")

workers = st.sampled_from(WORKERS)
waits = st.sampled_from([0, 0, 0, 30])
picks = st.integers(0, 1000)
finals = st.sampled_from([JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED])


def new_job(number: int, now: datetime, due: int, attempts: int) -> NewJob:
    """A job that is due in so many seconds."""
    return NewJob(
        id=UUID(int=number),
        job_type=TYPES[number % 2],
        module_name="tests",
        data=None,
        created_at=now,
        execute_at=now + timedelta(seconds=due),
        max_attempts=attempts,
    )
