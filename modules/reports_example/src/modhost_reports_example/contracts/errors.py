"""What can go wrong when others ask for reports."""

from uuid import UUID


class ReportNotFound(Exception):
    """No report belongs to this job."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"There is no report of the job {job_id}.")


class ReportNotFinished(Exception):
    """The report's job has not completed; the text says how it stands."""


class UnknownSource(Exception):
    """No source has this name."""
