"""What producers say to the ledger before and after they enqueue."""

from collections.abc import Sequence
from itertools import count
from os import getpid
from typing import Any

import anyio

from chaos.ledger import Ledger
from modhost import new_id
from modhost_background_jobs.contracts import BackgroundJobs, JobId, ModuleJob

_numbers = count()


class Offers:
    """Enqueues jobs as one producer, and notes what it wanted and what it got."""

    def __init__(self, ledger: Ledger, jobs: BackgroundJobs) -> None:
        self.ledger = ledger
        self.jobs = jobs

    def token(self) -> str:
        """Return a name that no other job has."""
        return f"{getpid()}-{next(_numbers)}"

    def offered(self, token: str, job: type[ModuleJob[Any, Any]], **facts: Any) -> None:
        """Note that a job is about to be enqueued."""
        self.ledger.note(
            "offered", **{"token": token, "kind": job.__name__, "expected": "done"} | facts
        )

    def stored(self, token: str, job_id: object = "") -> None:
        """Note that the queue has it."""
        self.ledger.note("stored", token=token, id=str(job_id))

    async def one(self, job: type[ModuleJob[Any, Any]], data: Any, **facts: Any) -> None:
        """Enqueue a job under an id of its own, again and again until the queue has it."""
        self.offered(data.token, job, **facts)
        options: Any = {"queue": facts["queue"]} if "queue" in facts else {}
        job_id = JobId(new_id())
        while True:
            try:
                stored = await self.jobs.enqueue(job, data, job_id=job_id, **options)
            except Exception as error:  # noqa: BLE001 - whatever a database in trouble raises
                self.refused(error)
                await anyio.sleep(0.2)
            else:
                self.stored(data.token, stored)
                return

    async def many(
        self, job: type[ModuleJob[Any, Any]], data: Sequence[Any], **options: Any
    ) -> None:
        """Enqueue jobs together; whether they are there is unknown after an error."""
        facts = {"expected": "maybe cancelled"} if "tags" in options else {}
        for each in data:
            self.offered(each.token, job, **facts)
        ids = await self.jobs.enqueue_many(job, data, **options)
        for each, id_ in zip(data, ids, strict=False):
            self.stored(each.token, id_)

    def refused(self, error: Exception) -> None:
        """Note that the queue did not take something."""
        self.ledger.note("refused", error=type(error).__name__)
