"""Whether the types of a job class agree with what it says in brackets."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, get_args, get_origin

from modhost.checks import Rule
from modhost.events import Event
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.job.type_arguments import type_arguments
from modhost_background_jobs.contracts.job_checks.problem import Problem

OTHER_EVENT: Final = Rule("MH617", "Job class does not take the event that it subscribed to")
TWO_TYPES: Final = Rule("MH616", "Job class declares two types for one thing")


def contradictions(job: type[ModuleJob]) -> Iterator[Problem]:
    """Yield the models of a class that are not the types in the brackets of `ModuleJob[...]`."""
    arguments = zip(("data_model", "result_model"), type_arguments(job, ModuleJob), strict=True)
    for name, argument in arguments:
        model = getattr(job, name)
        if argument is not None and _without_annotations(model) != _without_annotations(argument):
            detail = f"the {name} of {job.__module__}.{job.__qualname__} is {_named(model)}, "
            detail += f"and ModuleJob[...] says {_named(argument)}."
            remedy = f"Leave {name} out, which follows from the brackets, or make them the same."
            yield Problem(TWO_TYPES, detail, remedy)


def event_mismatch(job: type[ModuleJob], event: type[Event]) -> Problem | None:
    """Return what is wrong with a class whose jobs are to get these events as their data."""
    model = _without_annotations(job.data_model)
    if isinstance(model, type) and issubclass(event, model):
        return None
    says = "has no type of data" if model is None else f"has the data {_named(model)}"
    detail = f"{job.__module__}.{job.__qualname__} subscribed to {event.__qualname__}, and {says}."
    return Problem(OTHER_EVENT, detail, f"Write `ModuleJob[{event.__qualname__}]`.")


def _without_annotations(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _named(kind: Any) -> str:
    return kind.__qualname__ if isinstance(kind, type) else str(kind)
