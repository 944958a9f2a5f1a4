"""How far a job has come, as JSON and as the job reads it."""

from typing import Any, Final, TypeVar

from pydantic import ValidationError

from modhost_background_jobs.contracts import JobDataError, StepError
from modhost_background_jobs.model.data.job_result import read_result, result_to_stored
from modhost_background_jobs.model.data.read_back import problems_in

T = TypeVar("T")

UNUSABLE: Final = "The checkpoint cannot be stored: {} Give a model of pydantic, or JSON."
TOO_LARGE: Final = (
    "The checkpoint has {} characters as JSON, and max_result_size allows {}. Note where the job "
    "is, and keep what it has done so far elsewhere."
)
MISFIT: Final = (
    "The checkpoint of the job does not fit {}: {}. Read the old form too, or cancel the job and "
    "run it again from the beginning."
)


def checkpoint_to_stored(value: Any, max_size: int) -> str | None:
    """Return the JSON to store, None for nothing. Raises `StepError`."""
    try:
        stored = result_to_stored(value)
    except Exception as error:  # noqa: BLE001 - serialisers of the job's own may raise anything
        reason = f"{str(error).rstrip('.')}."
        raise StepError(UNUSABLE.format(reason)) from None
    if stored is not None and len(stored) > max_size:
        raise StepError(TOO_LARGE.format(len(stored), max_size))
    return stored


def read_checkpoint(stored: str | None, model: type[T]) -> T | None:
    """Return a checkpoint as a type; None without one. Raises `JobDataError`."""
    if stored is None:
        return None
    try:
        return read_result(stored, model)
    except ValidationError as error:
        named = getattr(model, "__name__", model)
        raise JobDataError(MISFIT.format(named, problems_in(error, "checkpoint"))) from None
