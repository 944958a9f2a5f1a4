"""Jobs that may be what kills their workers, and what is written about those whose worker died."""


def is_suspect(rescues: int, max_rescues: int) -> bool:
    """Return whether it matters that a job has begun when its worker dies.

    Of jobs that were never rescued it is not noted, which would be a write for each. The first
    rescue speaks against all that the worker had claimed, unless it is the last one too.
    """
    return rescues > 0 or max_rescues == 1


def is_last_chance(rescues: int, max_rescues: int) -> bool:
    """Return whether a job that was rescued before fails with its next rescue."""
    return rescues > 0 and rescues + 1 >= max_rescues


def lost_attempt_error(worker: str) -> str:
    """Return the error of an attempt that ended with its worker."""
    return f"lost worker: {worker} died or was cut off, the job was handed to another."


def quarantine_error(rescues: int) -> str:
    """Return the error of a job that was rescued too often to be tried again."""
    return (
        f"quarantined: {rescues} workers died while they ran this job, so it is not handed to "
        f"another. Look at its log and at the workers' memory, then retry it by hand."
    )
