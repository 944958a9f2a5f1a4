"""The steps of jobs that are done, and their checkpoints."""

from modhost_background_jobs.storage.steps.step_store import StepStore

__all__ = ["StepStore"]
