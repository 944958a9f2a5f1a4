"""What a job class may say, checked when it is registered."""

from modhost_background_jobs.contracts.job_checks.attributes import MAX_ATTEMPTS, problems_of
from modhost_background_jobs.contracts.job_checks.limits import LONGEST, conflicts

__all__ = ["LONGEST", "MAX_ATTEMPTS", "conflicts", "problems_of"]
