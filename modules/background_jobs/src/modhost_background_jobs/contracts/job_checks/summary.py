"""Whether the summary of a job class can be asked for with the data alone."""

import inspect
from collections.abc import Iterator
from typing import Any, Final

from modhost.checks import Rule
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.job_checks.problem import Problem

BAD_SUMMARY: Final = Rule("MH618", "Summary of a job class cannot be called with the data")

_REMEDY: Final = "Write `@staticmethod` and `def summary(data) -> str`, or leave it out."


def of_summary(job: type[ModuleJob]) -> Iterator[Problem]:
    """Yield what keeps the summary of a class from being called when a job is enqueued."""
    summary: Any = job.summary
    what = f"{job.__module__}.{job.__qualname__}.summary"
    is_bound = isinstance(inspect.getattr_static(job, "summary"), staticmethod | classmethod)
    if not callable(summary) or isinstance(summary, type):
        yield Problem(BAD_SUMMARY, f"{what} is {summary!r}.", _REMEDY)
    elif not is_bound:
        yield Problem(BAD_SUMMARY, f"{what} is a method of instances: there is none yet.", _REMEDY)
    elif inspect.iscoroutinefunction(summary) or inspect.isasyncgenfunction(summary):
        yield Problem(BAD_SUMMARY, f"{what} is `async`: nothing awaits it.", _REMEDY)
    elif inspect.isgeneratorfunction(summary):
        yield Problem(BAD_SUMMARY, f"{what} has a `yield`: it would return no text.", _REMEDY)
    elif not _takes_data(summary):
        detail = f"{what}{inspect.signature(summary)} does not take the data alone."
        yield Problem(BAD_SUMMARY, detail, _REMEDY)


def _takes_data(summary: Any) -> bool:
    try:
        inspect.signature(summary).bind(None)
    except TypeError:
        return False
    except ValueError:  # compiled, without a signature
        return True
    return True
