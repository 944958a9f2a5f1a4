"""What a job class may say, checked when it is registered."""

from modhost_background_jobs.contracts.job_checks.attributes import MAX_ATTEMPTS, problems_of
from modhost_background_jobs.contracts.job_checks.limits import LONGEST, conflicts
from modhost_background_jobs.contracts.job_checks.types import event_mismatch

__all__ = ["LONGEST", "MAX_ATTEMPTS", "conflicts", "event_mismatch", "problems_of"]
