"""What steps return: stored as JSON, and read as the function declares it."""

import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine
from types import SimpleNamespace
from typing import Any, Final, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from pydantic.errors import PydanticUserError

from modhost.calls.returned import function_of
from modhost_background_jobs.contracts import StepError
from modhost_background_jobs.model.data.job_result import read_result, result_to_stored
from modhost_background_jobs.model.data.read_back import adapter_of, problems_in

UNKNOWN: Final = (
    "What the function of the step {!r} returns is unknown ({}): import the type where it can be "
    "found when the job runs, and not under TYPE_CHECKING alone."
)
UNREADABLE: Final = (
    "The step {!r} could not read again what its function returns: {} Annotate it with a type that "
    "pydantic validates: a model, a dataclass, `dict[str, int]`, or None."
)
UNUSABLE: Final = (
    "What the function of the step {!r} has returned cannot be stored: {} It must be JSON that "
    "reads as {}, as the function is annotated to return."
)
MISFIT: Final = (
    "The stored result of the step {!r} does not fit {}: {}. The function has changed since: read "
    "the old form too, or give the step another name."
)
TOO_LARGE: Final = (
    "What the function of the step {!r} has returned has {} characters as JSON, and "
    "max_result_size allows {}. Store it in a file or a table and return where it is, or raise "
    "max_result_size in [modules.background_jobs]."
)


class StepResult:
    """The type of what a function returns, as which its results are written and read.

    Raises `StepError`: it is a type that cannot be read.
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self._name = name
        try:
            self._type = returned_by(function)
        except (NameError, TypeError) as error:
            raise StepError(UNKNOWN.format(name, error)) from None
        try:
            adapter_of(self._type)
        except PydanticUserError as error:
            reason = str(error).partition("\n")[0]
            raise StepError(UNREADABLE.format(name, reason)) from None

    def to_stored(self, value: Any, max_size: int) -> tuple[str | None, Any]:
        """Return the JSON of a result, None for nothing, and what it reads as.

        Raises `StepError`.
        """
        try:
            stored = result_to_stored(value, None if self._type is Any else self._type)
            read = read_result(stored, self._type)
        except Exception as error:  # noqa: BLE001 - serialisers of the job's own may raise anything
            reason = f"{str(error).rstrip('.')}."
            raise StepError(UNUSABLE.format(self._name, reason, self._named)) from None
        if stored is not None and len(stored) > max_size:
            raise StepError(TOO_LARGE.format(self._name, len(stored), max_size))
        return stored, read

    def read(self, stored: str | None) -> Any:
        """Return a stored result. Raises `StepError`."""
        try:
            return read_result(stored, self._type)
        except ValidationError as error:
            msg = MISFIT.format(self._name, self._named, problems_in(error, "result"))
            raise StepError(msg) from None

    @property
    def _named(self) -> str:
        return str(getattr(self._type, "__name__", self._type))


def returned_by(function: Callable[..., Any]) -> Any:
    """Return the type that a function is annotated to return, awaited; `Any` without one."""
    if inspect.isclass(function):
        return function
    function = inspect.unwrap(function_of(function))
    declared = getattr(function, "__annotations__", {}).get("return", Any)
    module = sys.modules.get(function.__module__ or "")
    names = getattr(function, "__globals__", vars(module) if module else {})
    holder = SimpleNamespace(__annotations__={"it": declared})
    declared = get_type_hints(holder, names, include_extras=True)["it"]
    if get_origin(declared) in (Awaitable, Coroutine) and not inspect.iscoroutinefunction(function):
        return get_args(declared)[-1]
    return declared
