"""What attempts return: stored with the end of their job."""

import logging
from typing import Any, Final

from modhost.failures import describe
from modhost_background_jobs.contracts import PermanentJobError
from modhost_background_jobs.model.data.job_result import result_to_stored
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt

logger = logging.getLogger(__name__)

UNUSABLE: Final = "What execute returned cannot be kept as the result: {} Return {}, or None."
NOT_KEPT: Final = (
    "What execute of %s returned is not kept (%s). Return what is JSON or a model of pydantic, or "
    "None; declare ModuleJob[Data, Result] to let such a job fail. This is said once."
)
TOO_LARGE: Final = (
    "The result has {} characters as JSON, and max_result_size allows {}. Store it in a file or a "
    "table and return where it is, or raise max_result_size in [modules.background_jobs]."
)


class Results:
    """Makes JSON of results, within the bound of the option `max_result_size`."""

    def __init__(self, options: BackgroundJobsOptions) -> None:
        self._max_size = options.max_result_size
        self._noted: set[str] = set()

    def to_stored(self, attempt: Attempt, value: Any) -> str | None:
        """Return the JSON to store of what an attempt returned, None for nothing.

        What is not JSON is left out where the class declares no result: for a job that returns
        something by the way, that was never an error. Raises `PermanentJobError`.
        """
        if value is None:
            return None
        model = attempt.registered.job_class.result_model
        try:
            stored = result_to_stored(value, model)
        except Exception as error:  # noqa: BLE001 - serialisers of the job's own may raise anything
            if model is not None:
                named = getattr(model, "__name__", model)
                msg = UNUSABLE.format(attempt.redact(f"{str(error).rstrip('.')}."), named)
                raise PermanentJobError(msg) from None
            self._note(attempt.claimed.job_type, error)
            return None
        if stored is not None and len(stored) > self._max_size:
            raise PermanentJobError(TOO_LARGE.format(len(stored), self._max_size))
        return stored

    def _note(self, job_type: str, error: Exception) -> None:
        if job_type not in self._noted:
            self._noted.add(job_type)
            logger.warning(NOT_KEPT, job_type, describe(error))
