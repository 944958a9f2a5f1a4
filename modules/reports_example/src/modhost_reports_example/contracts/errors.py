"""Errors that callers of the reports see."""

from uuid import UUID


class ReportNotFound(Exception):
    """No report belongs to this job."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"There is no report of the job {job_id}.")


class ReportNotFinished(Exception):
    """The report's job has not completed; the message gives its state."""


class UnknownSource(Exception):
    """No source of records has this name."""
