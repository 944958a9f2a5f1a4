"""Registration of job classes."""

import inspect
from dataclasses import dataclass
from typing import Final, get_args

from modhost import ServiceCollection
from modhost.checks import Rule
from modhost_background_jobs.contracts.job import Executor, ModuleJob

UNKNOWN_EXECUTOR: Final = Rule("MH601", "Job names no executor that there is")
GENERATOR: Final = Rule("MH604", "Job is a generator, which nobody would iterate over")


@dataclass(frozen=True, slots=True)
class RegisteredJob:
    """A job class under a name that its jobs are stored with."""

    job_type: str
    module_name: str
    job_class: type[ModuleJob]
    runs_in_thread: bool
    """Whether `execute` is a plain function, which must not run on the event loop."""
    is_alias: bool = False

    @property
    def runs_in_process(self) -> bool:
        """Whether attempts run in a process of their own."""
        return self.job_class.executor == "process"


def add_module_job(services: ServiceCollection, job: type[ModuleJob]) -> None:
    """Register a job class of this module, in `configure_services`.

    Two classes with the same stored name are a start-up error that names both modules; so are an
    unknown executor, and an `execute` with a `yield`.

    Args:
        services: the services of the module.
        job: the class to register, under its `job_type` and its `aliases`.

    """
    if job.executor not in get_args(Executor):
        known = " or ".join(map(repr, get_args(Executor)))
        detail = f"the executor of {job.__module__}.{job.__qualname__} is {job.executor!r}."
        services.refuse(UNKNOWN_EXECUTOR, detail, f"Set it to {known}, or leave it out.")
    if inspect.isgeneratorfunction(job.execute) or inspect.isasyncgenfunction(job.execute):
        detail = f"{job.__module__}.{job.__qualname__}.execute has a `yield`: it would never run."
        services.refuse(GENERATOR, detail, "Remove the `yield`, or iterate over it in execute.")
    job_type = job.job_type or f"{services.module}.{job.__name__}"
    services.add_scoped(job)
    in_thread = not inspect.iscoroutinefunction(job.execute)
    registered = RegisteredJob(job_type, services.module, job, in_thread)
    services.contribute(RegisteredJob, registered, key=job_type)
    for alias in job.aliases:
        former = RegisteredJob(alias, services.module, job, in_thread, is_alias=True)
        services.contribute(RegisteredJob, former, key=alias)
