"""The job types that this host knows."""

from collections.abc import Collection, Iterable
from typing import Any

from modhost_background_jobs.contracts import ModuleJob, RegisteredJob, UnregisteredJob


class JobTypes:
    """Registered jobs by stored name and by class.

    Args:
        registered: all of them.
        operations: the classes whose jobs need no slot of a consumer.

    """

    def __init__(
        self,
        registered: Iterable[RegisteredJob],
        operations: Collection[type[ModuleJob]] = (),
    ) -> None:
        self._by_name = {job.job_type: job for job in registered}
        self._by_class = {job.job_class: job for job in registered if not job.is_alias}
        self.names = tuple(sorted(self._by_name))
        self.operations = tuple(
            name for name in self.names if self._by_name[name].job_class in operations
        )
        """The types that any host carries out besides the slots of the consumers."""
        self.in_slots = tuple(name for name in self.names if name not in self.operations)
        """The types that a consumer claims."""

    def of_class(self, job: type[ModuleJob]) -> RegisteredJob:
        """Return the registration of a class. Raises `UnregisteredJob`."""
        try:
            return self._by_class[job]
        except KeyError:
            raise UnregisteredJob(job) from None

    def named(self, job_type: str) -> RegisteredJob:
        """Return the registration under a stored name; a consumer claims no other."""
        return self._by_name[job_type]

    def model_of(self, job_type: str) -> Any:
        """Return what the data of a type are read as; None where that is not known."""
        registered = self._by_name.get(job_type)
        return None if registered is None else registered.job_class.data_model
