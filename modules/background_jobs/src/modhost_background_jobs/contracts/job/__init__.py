"""A job: its base class, and the context in which it runs."""

from modhost_background_jobs.contracts.job.context import JobExecutionContext
from modhost_background_jobs.contracts.job.module_job import Executor, ModuleJob

__all__ = ["Executor", "JobExecutionContext", "ModuleJob"]
