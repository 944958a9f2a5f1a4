"""Writers that share a commit share no blame."""

import sqlite3
from collections.abc import Sequence

import anyio
import anyio.lowlevel
import pytest

from background_jobs.support import new_job
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import is_integrity_error
from modhost_background_jobs.storage.group_commit import GroupCommit

pytestmark = pytest.mark.anyio


class Writing:
    """Writes numbers together; refuses negative ones, and loses the connection at 0."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.errors: dict[int, BaseException] = {}
        self.commit = GroupCommit(self._write, is_integrity_error)

    async def _write(self, numbers: Sequence[int]) -> None:
        await anyio.lowlevel.checkpoint()
        self.batches.append(list(numbers))
        if min(numbers) < 0:
            msg = "negative"
            raise sqlite3.IntegrityError(msg)
        if 0 in numbers:
            raise ConnectionResetError

    async def submit(self, *numbers: int) -> None:
        try:
            await self.commit.submit(numbers)
        except Exception as error:  # noqa: BLE001 - checked by the test
            self.errors[numbers[0]] = error

    async def together(self, *callers: Sequence[int]) -> None:
        """The first is being written while the others join."""
        async with anyio.create_task_group() as group:
            for numbers in callers:
                group.start_soon(self.submit, *numbers)


async def test_callers_that_come_together_share_a_write() -> None:
    writing = Writing()
    await writing.together([1], [2], [3, 4])
    assert writing.batches == [[1], [2, 3, 4]]
    assert not writing.errors


async def test_a_refusal_reaches_only_the_caller_that_asked_for_it() -> None:
    writing = Writing()
    await writing.together([1], [2], [-3, 4], [5, 6])
    assert writing.batches == [[1], [2, -3, 4, 5, 6], [2], [-3, 4], [5, 6]]
    assert list(writing.errors) == [-3]


async def test_an_error_that_leaves_open_what_was_done_is_not_followed_by_another_try() -> None:
    writing = Writing()
    await writing.together([1], [2], [0])
    assert writing.batches == [[1], [2, 0]]
    assert set(writing.errors) == {2, 0}


async def test_a_job_that_the_database_refuses_fails_no_other(
    queue: DatabaseJobQueue, listing: JobListing
) -> None:
    there = new_job()
    await queue.enqueue([there])
    good = [new_job() for _ in range(6)]
    refused: list[BaseException] = []

    async def repeat() -> None:
        try:
            await queue.enqueue([there])
        except Exception as error:  # noqa: BLE001 - each driver has its own
            refused.append(error)

    async with anyio.create_task_group() as group:
        for number, job in enumerate(good):
            group.start_soon(queue.enqueue, [job])
            if number == 3:
                group.start_soon(repeat)
    assert len(refused) == 1
    assert all([await listing.find(job.id) for job in good])
