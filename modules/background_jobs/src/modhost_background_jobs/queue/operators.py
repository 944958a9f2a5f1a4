"""Workers that carry out an operation each: in any host, and without a slot of a consumer."""

from dataclasses import replace
from typing import Final

from modhost_background_jobs.queue.records import WorkerInfo

# The names of consumers have no such sign in them.
_PREFIX: Final = "operation@"


def as_operator(worker: WorkerInfo) -> WorkerInfo:
    """Return a worker under a name that tells it from consumers."""
    return replace(worker, name=_PREFIX + worker.name)


def is_operator(name: str) -> bool:
    """Tell whether a worker of this name is no consumer."""
    return name.startswith(_PREFIX)
