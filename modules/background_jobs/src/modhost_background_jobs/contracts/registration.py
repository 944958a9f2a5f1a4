"""Registration of job classes."""

import inspect
from dataclasses import dataclass, replace

from modhost import ServiceCollection
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.job_checks import conflicts, problems_of


@dataclass(frozen=True, slots=True)
class RegisteredJob:
    """A job class under a name that its jobs are stored with."""

    job_type: str
    module_name: str
    job_class: type[ModuleJob]
    runs_in_thread: bool
    """Whether `execute` is a plain function, which must not run on the event loop."""
    is_alias: bool = False
    module_version: str | None = None

    @property
    def runs_in_process(self) -> bool:
        """Whether attempts run in a process of their own."""
        return self.job_class.executor == "process"


def add_module_job(services: ServiceCollection, job: type[ModuleJob]) -> None:
    """Register a job class of this module, in `configure_services`.

    Two classes with the same stored name are a start-up error that names both modules; so are an
    `execute` that is missing or has a `yield`, attributes that are misspelt or unusable, and
    limits that share a name and differ.

    Args:
        services: the services of the module.
        job: the class to register, under its `job_type` and its `aliases`.

    """
    problems = problems_of(job)
    job_type = ""
    if not problems:
        job_type = job.job_type or f"{services.module}.{job.__name__}"
        before = services.contributed(RegisteredJob)
        others = [(each.job_type, each.job_class) for each in before if not each.is_alias]
        problems = list(conflicts(job, job_type, others))
    for problem in problems:
        services.refuse(*problem)
    if problems:
        return
    services.add_scoped(job)
    in_thread = not inspect.iscoroutinefunction(job.execute)
    registered = RegisteredJob(
        job_type, services.module, job, in_thread, module_version=services.version
    )
    services.contribute(RegisteredJob, registered, key=job_type)
    for alias in job.aliases:
        former = replace(registered, job_type=alias, is_alias=True)
        services.contribute(RegisteredJob, former, key=alias)
