"""The attributes of job classes, one by one."""

import inspect
from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from modhost.checks import Rule
from modhost_background_jobs.contracts.flow import Concurrency, Fair, Rate, Unique
from modhost_background_jobs.contracts.flow_checks import (
    PRIORITY,
    QUEUE_NAME,
    TAGS,
    is_priority,
    is_queue_name,
    is_tags,
)
from modhost_background_jobs.contracts.job import Executor, ModuleJob
from modhost_background_jobs.contracts.job.module_job import set_models
from modhost_background_jobs.contracts.job_checks.fields import unknown_fields
from modhost_background_jobs.contracts.job_checks.limits import (
    LONGEST,
    MAX_LIMIT,
    is_limit,
    is_per,
    is_period,
)
from modhost_background_jobs.contracts.job_checks.problem import Problem
from modhost_background_jobs.contracts.job_checks.summary import of_summary
from modhost_background_jobs.contracts.job_checks.types import contradictions

UNKNOWN_EXECUTOR: Final = Rule("MH601", "Job names no executor that there is")
GENERATOR: Final = Rule("MH604", "Job is a generator, which nobody would iterate over")
NOT_A_JOB: Final = Rule("MH605", "Job class cannot be run")
UNKNOWN_ATTRIBUTE: Final = Rule("MH606", "Job class sets an attribute that nothing reads")
BAD_ATTRIBUTE: Final = Rule("MH607", "Job class has an attribute with an unusable value")

MAX_ATTEMPTS: Final = 1_000_000
_ATTRIBUTES: Final = tuple(ModuleJob.__annotations__)
# What other queues call them.
_SYNONYMS: Final = {
    **dict.fromkeys(("max_retries", "retries", "max_tries", "attempts"), "max_attempts"),
    **dict.fromkeys(("retry_delay", "default_retry_delay", "backoff"), "retry_base_delay"),
    **dict.fromkeys(("time_limit", "soft_time_limit", "job_timeout"), "timeout"),
    **dict.fromkeys(("task_name", "type_name", "job_name"), "job_type"),
    **dict.fromkeys(("concurrency_limit", "max_concurrency", "max_parallel"), "concurrency"),
    **dict.fromkeys(("rate_limit", "throttle", "throttling"), "rate"),
    **dict.fromkeys(("uniq", "uniqueness", "unique_for", "unique_by", "dedupe"), "unique"),
    **dict.fromkeys(("queue_name", "task_queue"), "queue"),
    **dict.fromkeys(("prio", "weight"), "priority"),
    **dict.fromkeys(("labels", "keywords"), "tags"),
    **dict.fromkeys(("fairness", "fair_share"), "fair"),
    **dict.fromkeys(("no_retries", "dont_retry", "dont_autoretry_for", "discard_on"), "no_retry"),
}
_SIMILAR: Final = 0.8
_COLLECTIONS: Final = (tuple, list, set, frozenset)


def problems_of(job: Any) -> list[Problem]:
    """Return what is wrong with what is registered as a job class."""
    if not isinstance(job, type) or not issubclass(job, ModuleJob):
        remedy = "Pass a subclass of ModuleJob, the class itself."
        return [Problem(NOT_A_JOB, f"add_module_job was given {job!r}.", remedy)]
    set_models(job, is_final=True)
    problems = [*_of_execute(job), *of_summary(job), *_misspelt(job), *_of_values(job)]
    return problems or [*contradictions(job), *unknown_fields(job)]


def _of_execute(job: type[ModuleJob]) -> Iterator[Problem]:
    name = f"{job.__module__}.{job.__qualname__}"
    missing = sorted(getattr(job, "__abstractmethods__", ()))
    if missing:
        named = (each for each in vars(job) if each not in missing)
        own = [each for each in named if inspect.isroutine(getattr(job, each))]
        similar = get_close_matches("execute", own, 1) or [each for each in own if each == "run"]
        hint = f"Did you mean {similar[0]!r} to be it?" if similar else "Add it."
        yield Problem(NOT_A_JOB, f"{name} has no {' and no '.join(missing)}.", hint)
        return
    execute: Any = job.execute
    if not callable(execute):
        remedy = "Write `async def execute(self, context)`."
        yield Problem(NOT_A_JOB, f"{name}.execute is {execute!r}.", remedy)
    elif not _takes_context(job):
        detail = f"{name}.execute{inspect.signature(execute)} does not take the context alone."
        remedy = "Write `async def execute(self, context)`; services are for the constructor."
        yield Problem(NOT_A_JOB, detail, remedy)
    elif inspect.isgeneratorfunction(execute) or inspect.isasyncgenfunction(execute):
        remedy = "Remove the `yield`, or iterate over it in execute."
        yield Problem(GENERATOR, f"{name}.execute has a `yield`: it would never run.", remedy)


def _takes_context(job: type[ModuleJob]) -> bool:
    is_bound = isinstance(inspect.getattr_static(job, "execute"), staticmethod | classmethod)
    try:
        inspect.signature(job.execute).bind(*([None] if is_bound else [None, None]))
    except TypeError:
        return False
    except ValueError:  # compiled, without a signature
        return True
    return True


def _misspelt(job: type[ModuleJob]) -> Iterator[Problem]:
    for owner in job.__mro__[: job.__mro__.index(ModuleJob)]:
        for name, value in vars(owner).items():
            is_own = name.startswith("_") or hasattr(ModuleJob, name) or name[0].isupper()
            if is_own or inspect.isroutine(value) or isinstance(value, property):
                continue
            similar = get_close_matches(name, _ATTRIBUTES, 1, _SIMILAR)
            if meant := _SYNONYMS.get(name) or next(iter(similar), None):
                detail = f"{owner.__module__}.{owner.__qualname__} sets {name}."
                yield Problem(UNKNOWN_ATTRIBUTE, detail, f"Did you mean {meant!r}?")


def _of_values(job: type[ModuleJob]) -> Iterator[Problem]:
    for name, (check, remedy) in _CHECKS.items():
        value = getattr(job, name)
        if not check(value):
            rule = UNKNOWN_EXECUTOR if name == "executor" else BAD_ATTRIBUTE
            detail = f"the {name} of {job.__module__}.{job.__qualname__} is {value!r}."
            yield Problem(rule, detail, remedy)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _is_duration(value: object, least: timedelta, longest: timedelta) -> bool:
    return value is None or (isinstance(value, timedelta) and least <= value <= longest)


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _are_limits(value: object, kind: type[Any]) -> bool:
    limits = value if isinstance(value, tuple) else (value,)
    return value is None or all(isinstance(each, kind) and is_limit(each) for each in limits)


def _is_unique(value: object) -> bool:
    if not isinstance(value, Unique):
        return value is None
    is_until = value.until in ("finished", "started") or is_period(value.until)
    return is_per(value.per) and is_until and value.on_conflict in ("keep", "replace")


def _is_model(value: Any) -> bool:
    if value is None:
        return True
    # Pydantic takes functions too, and a text for the name of a type to come.
    if isinstance(value, str) or inspect.isroutine(value):
        return False
    try:
        TypeAdapter(value).rebuild(raise_errors=True)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return False
    return True


_DURATION: Final = "Write a duration, such as timedelta(seconds=30), or leave it out."
_LIMIT: Final = f"Write {{}}, numbers from 1 to {MAX_LIMIT:,}, several as a tuple, or leave it out."
_MODEL: Final = "Write a type that pydantic can validate, or leave it out."
_CHECKS: Final[Mapping[str, tuple[Any, str]]] = {
    "job_type": (
        lambda value: value is None or _is_name(value),
        "Write a name in quotes, or leave it out.",
    ),
    "aliases": (
        lambda value: isinstance(value, _COLLECTIONS) and all(map(_is_name, value)),
        'Write a tuple of names; one alone needs a comma: ("name",).',
    ),
    "max_attempts": (
        lambda value: value is None or (type(value) is int and 1 <= value <= MAX_ATTEMPTS),
        f"Write a whole number from 1 to {MAX_ATTEMPTS:,}, or leave it out.",
    ),
    # The option `retry_max_delay` bounds it.
    "retry_base_delay": (lambda value: _is_duration(value, timedelta(0), timedelta.max), _DURATION),
    "timeout": (lambda value: _is_duration(value, timedelta.resolution, LONGEST), _DURATION),
    "executor": (
        lambda value: value in get_args(Executor),
        f"Set it to {' or '.join(map(repr, get_args(Executor)))}, or leave it out.",
    ),
    "no_retry": (
        lambda value: isinstance(value, _COLLECTIONS) and all(map(_is_error, value)),
        "Write a tuple of exceptions; one alone needs a comma: (KeyError,).",
    ),
    "queue": (is_queue_name, f"Write {QUEUE_NAME}, or leave it out."),
    "priority": (is_priority, f"Write {PRIORITY}, or leave it out."),
    "tags": (is_tags, f'Write {TAGS}; one alone needs a comma: ("name",).'),
    "concurrency": (
        lambda value: _are_limits(value, Concurrency),
        _LIMIT.format('Concurrency(2, per="field")'),
    ),
    "rate": (
        lambda value: _are_limits(value, Rate),
        _LIMIT.format('Rate(10, timedelta(seconds=1), per="field")'),
    ),
    "unique": (
        _is_unique,
        'Write Unique(per="field", until="finished", on_conflict="keep"), or leave it out.',
    ),
    "fair": (
        lambda value: value is None or (isinstance(value, Fair) and is_per(value.per, needed=True)),
        'Write Fair(per="the name of a field"), or leave it out.',
    ),
    "data_model": (_is_model, _MODEL),
    "result_model": (_is_model, _MODEL),
}
