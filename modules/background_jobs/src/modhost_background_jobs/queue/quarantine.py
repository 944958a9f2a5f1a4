"""What is written about a job whose worker died."""


def lost_attempt_error(worker: str) -> str:
    """Return the error of an attempt that ended with its worker."""
    return f"lost worker: {worker} died or was cut off, the job was handed to another."


def quarantine_error(rescues: int) -> str:
    """Return the error of a job that was rescued too often to be tried again."""
    return (
        f"quarantined: {rescues} workers died while they ran this job, so it is not handed to "
        f"another. Look at its log and at the workers' memory, then retry it by hand."
    )
