"""Search for words of errors, which have no index: in a bounded number of errors at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import Partition, partitions_of
from modhost_background_jobs.storage.tables import JOBS

BATCH_SIZE: Final = 500
"""The number of errors that are searched for one page."""


def partitions_with_errors(state: JobState | None) -> list[Partition]:
    """Return the partitions of the jobs whose errors are searched."""
    # The error of a skipped run is the reason, not a failure.
    partitions = (
        [Partition(JOBS), *partitions_of(JobState.FAILED)]
        if state is None
        else partitions_of(state)
    )
    return [each.narrowed(each.table.c.error.is_not(None)) for each in partitions]


@dataclass(frozen=True, slots=True)
class ErrorSearch:
    """A search for words, in any case, in the errors of jobs of a type or of any."""

    words: str
    job_type: str | None
    batch_size: int = BATCH_SIZE
    ascending: bool = False

    async def narrow(
        self, connection: AsyncConnection, partitions: Sequence[Partition]
    ) -> tuple[list[Partition], UUID | None]:
        """Narrow partitions to the jobs of one batch whose error has the words.

        Returns:
            the narrowed partitions, and the id at which the batch ends, None if it reaches the
            last job.

        """
        end = await self._end(connection, partitions)
        if end is not None:
            partitions = [
                each.narrowed(each.table.c.id <= end if self.ascending else each.table.c.id >= end)
                for each in partitions
            ]
        return [self._matching(each) for each in partitions], end

    async def _end(
        self, connection: AsyncConnection, partitions: Sequence[Partition]
    ) -> UUID | None:
        lasts = []
        for number, partition in enumerate(partitions):
            # The last job of the batch, and whether one follows it.
            ordered = partition.ids().order_by(partition.order(ascending=self.ascending))
            last = ordered.offset(self.batch_size - 1).limit(2).subquery()
            lasts.append(select(literal(number), last.c.id))
        found: dict[int, list[UUID]] = {}
        for number, id_ in await connection.execute(union_all(*lasts)):
            found.setdefault(number, []).append(id_)
        full = [ids for ids in found.values() if len(ids) > 1]
        if not full:
            return None
        return min(map(min, full)) if self.ascending else max(map(max, full))

    def _matching(self, partition: Partition) -> Partition:
        table = partition.table
        # Of any type: not each combination has an index. Jobs may have come since the end was
        # found.
        batch = (
            select(table.c.id, table.c.job_type, table.c.error)
            .where(*partition.conditions)
            .order_by(partition.order(ascending=self.ascending))
            .limit(2 * self.batch_size)
            .subquery()
        )
        found = [func.lower(batch.c.error).contains(self.words.lower(), autoescape=True)]
        if self.job_type is not None:
            found.append(batch.c.job_type == self.job_type)
        return Partition(table, [table.c.id.in_(select(batch.c.id).where(*found))])
