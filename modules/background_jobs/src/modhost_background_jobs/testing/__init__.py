"""The test kit of background jobs: what the fixture `jobs` is made of.

Jobs are `held` until a test drains the queue, run `inline` where they are enqueued, or are left to
a real `worker`. The queue, the worker and the database are the real ones in each of them.
"""

from modhost_background_jobs.testing.blocking import BlockingJobs
from modhost_background_jobs.testing.jobs import Jobs, Mode
from modhost_background_jobs.testing.performing import Performed, Progress
from modhost_background_jobs.testing.stored_jobs import StoredJob

__all__ = ["BlockingJobs", "Jobs", "Mode", "Performed", "Progress", "StoredJob"]
