"""What the steps of a simulation draw from."""

from hypothesis import strategies as st

from background_jobs.support import TYPES
from modhost_background_jobs.contracts import CatchUpPolicy, JobState, OverlapPolicy
from modhost_background_jobs.model import ScheduleDefinition

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
