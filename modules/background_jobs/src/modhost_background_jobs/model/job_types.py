"""The job types that this host knows."""

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from modhost_background_jobs.contracts import ModuleJob, RegisteredJob, UnregisteredJob

LEFT_TO_NEWER: Final = "waits: it was enqueued by version "
"""How the error begins of an attempt of a worker that is too old to read the job's data."""


class JobTypes:
    """Registered jobs by stored name and by class.

    Args:
        registered: all of them.
        bulk: the classes whose jobs the bulk runner of any host claims.
        silent: the classes whose jobs publish no events when they end.

    """

    def __init__(
        self,
        registered: Iterable[RegisteredJob],
        bulk: Collection[type[ModuleJob]] = (),
        silent: Collection[type[ModuleJob]] = (),
    ) -> None:
        self._by_name = {job.job_type: job for job in registered}
        self._by_class = {job.job_class: job for job in registered if not job.is_alias}
        self.names = tuple(sorted(self._by_name))
        self.modules = frozenset(job.module_name for job in self._by_name.values())
        self.of_bulk_runners = tuple(
            name for name in self.names if self._by_name[name].job_class in bulk
        )
        """The types that the bulk runner of any host claims."""
        self.of_workers = tuple(name for name in self.names if name not in self.of_bulk_runners)
        """The types that a worker claims."""
        self.with_silent_ends = frozenset(
            name for name in self.names if self._by_name[name].job_class in silent
        )
        """The types whose ends are not published: those of jobs that get the ends of others."""

    def of_class(self, job: type[ModuleJob]) -> RegisteredJob:
        """Return the registration of a class. Raises `UnregisteredJob`."""
        try:
            return self._by_class[job]
        except (KeyError, TypeError):  # an instance or a name, which may have no hash
            raise UnregisteredJob(job) from None

    def named(self, job_type: str) -> RegisteredJob:
        """Return the registration under a stored name; a consumer claims no other."""
        return self._by_name[job_type]

    def current(self, job_type: str) -> RegisteredJob | None:
        """Return the registration, under its present name, of the class of a stored name."""
        registered = self._by_name.get(job_type)
        return registered and self._by_class[registered.job_class]

    def version_of(self, job_type: str) -> str | None:
        """Return the version of the module of a type; None where that is not known."""
        registered = self._by_name.get(job_type)
        return None if registered is None else registered.module_version

    def model_of(self, job_type: str) -> Any:
        """Return what the data of a type are read as; None where that is not known."""
        registered = self._by_name.get(job_type)
        return None if registered is None else registered.job_class.data_model


def is_newer(version: str | None, than: str | None) -> bool:
    """Return whether a version is newer, by the numbers in both; False where one is unknown."""
    if version is None or than is None:
        return False
    theirs, ours = ([int(each) for each in re.findall(r"\d+", text)] for text in (version, than))
    return theirs > ours
