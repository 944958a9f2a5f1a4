"""A job's result: what `execute` returned, as JSON; secrets are marked as in its data."""

from functools import partial
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from typing_extensions import TypeForm

from modhost_background_jobs.contracts import InvalidJobData
from modhost_background_jobs.model.data.job_data import for_job, to_stored
from modhost_background_jobs.model.data.read_back import adapter_of, problems_in, read_as

T = TypeVar("T")


def result_to_stored(value: Any, model: Any = None) -> str | None:
    """Return the JSON of a result, None for nothing.

    Args:
        value: what was returned.
        model: the declared type, as which it is validated and written; None for its own.

    Raises:
        InvalidJobData: it is not JSON, or not of the declared type.

    """
    if model is None:
        return to_stored(value)
    adapter = adapter_of(model)
    try:
        value = adapter.validate_python(value, from_attributes=True)
    except ValidationError as error:
        named = getattr(model, "__name__", model)
        msg = f"{type(value).__name__} does not fit {named}: {problems_in(error, 'result')}"
        raise InvalidJobData(msg) from None
    return to_stored(value, model, partial(adapter.dump_json, warnings=False))


def read_result(stored: str | None, model: TypeForm[T]) -> T:
    """Return a result as a type, with its secrets. Raises `ValidationError`."""
    return cast("T", read_as(model, "null" if stored is None else for_job(stored)))
