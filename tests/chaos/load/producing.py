"""What producers enqueue, in all ways that there are, as long as the trial lasts."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from os import getpid
from pathlib import Path
from typing import Any, Final, get_args

import anyio
from anyio.abc import TaskStatus
from sqlalchemy import func, select

from chaos.load import jobs as kinds
from chaos.load.jobs import Task
from chaos.load.offering import Offers
from chaos.load.stepped import CancelMany, Doom, Entries, Stepped, SteppedApart
from modhost.database import Database
from modhost.events import Events
from modhost.module import HostedService
from modhost_background_jobs.contracts import WorkflowNode
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.storage.tables import JOBS

BACKLOG: Final = 60
"""How many jobs wait for a free slot at least."""
MAX_BACKLOG: Final = 250
"""At how many producers stop for a while: on a busy machine nobody could keep up with them."""
KEYS: Final = 6
FILLER_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 6.0


class Producer(HostedService):
    """Enqueues jobs of all kinds, until it finds a file that asks it to stop."""

    name = "chaos producer"

    def __init__(self, offers: Offers, database: Database, events: Events, folder: Path) -> None:
        self._offers = offers
        self._database = database
        self._events = events
        self._quiet = folder / "quiet"
        self._is_behind = False
        self._pausable = f"pausable-{getpid()}"

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        activities: dict[Callable[[], Awaitable[None]], float] = {
            self._fill: 0.4,
            self._one_by_one: 1.0,
            self._limited: 1.5,
            self._in_transactions: 1.0,
            self._workflow: 4.0,
            self._stepped: 2.0,
            self._doomed: 3.0,
            self._paused: 15.0,
        }
        async with anyio.create_task_group() as group:
            for activity, seconds in activities.items():
                group.start_soon(self._repeat, activity, seconds)

    async def _repeat(self, activity: Callable[[], Awaitable[None]], seconds: float) -> None:
        while not self._quiet.exists():
            try:
                if activity == self._fill or not self._is_behind:
                    await activity()
            except Exception as error:  # noqa: BLE001 - whatever a database in trouble raises
                self._offers.refused(error)
            await anyio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311

    def _task(self, **facts: Any) -> Task:
        # Some keys have many jobs, and most have few.
        key = f"{int(KEYS * random.random() ** 2)}"  # noqa: S311
        partner = f"{random.randrange(3)}"  # noqa: S311
        return Task(**{"token": self._offers.token(), "key": key, "partner": partner} | facts)

    async def _fill(self) -> None:
        """Keep slots at work, and watch how many jobs wait."""
        is_filler = JOBS.c.job_type == "chaos.Filler"
        count = select(is_filler, func.count()).where(JOBS.c.state == "Pending").group_by(is_filler)
        async with self._database.reading() as session:
            rows = await (await session.connection()).execute(count)
            waiting = {bool(filler): int(jobs) for filler, jobs in rows}
        self._is_behind = waiting.get(False, 0) > MAX_BACKLOG
        missing = BACKLOG - waiting.get(True, 0)
        more = [self._task(seconds=FILLER_SECONDS) for _ in range(missing)]
        if more:
            await self._offers.many(kinds.Filler, more)

    async def _one_by_one(self) -> None:
        plain = random.choice((kinds.Plain, kinds.Threaded, kinds.Urgent))  # noqa: S311
        await self._offers.one(plain, self._task(seconds=0.02))
        await self._offers.one(kinds.Plain, self._task(failures=2, snoozes=0.3))
        unique = self._task(seconds=0.1, key=f"{random.randrange(3)}")  # noqa: S311
        await self._offers.one(kinds.Only, unique, unique=unique.key)
        await self._offers.one(kinds.Pausable, self._task(seconds=0.02), queue=self._pausable)
        later = self._task()
        due = datetime.now(UTC) + timedelta(seconds=random.uniform(0.5, 4))  # noqa: S311
        self._offers.offered(later.token, kinds.Delayed, due=due.timestamp())
        job_id = await self._offers.jobs.schedule(kinds.Delayed, due, later)
        self._offers.stored(later.token, job_id)

    async def _limited(self) -> None:
        for job in (
            *(kinds.OneOfAKey, kinds.TwoOfAKey, kinds.ThreeOfAPartner, kinds.PartnerAndKey),
            *(kinds.SomeStarts, kinds.StartsOfTwo, kinds.Turns),
        ):
            seconds = random.choice((0.0, 0.02, 0.1))  # noqa: S311
            failures = random.choice((0,) * 8 + (1,))  # noqa: S311
            task = self._task(seconds=seconds, failures=failures)
            await self._offers.many(job, [task])

    async def _in_transactions(self) -> None:
        """Commit jobs and events together with something else, or roll them back."""
        fails = random.random() < 0.3  # noqa: S311
        job, event = self._task(), kinds.Ordered(token=self._offers.token())
        expected = "never" if fails else "done"
        self._offers.offered(job.token, kinds.Plain, expected=expected)
        self._offers.offered(event.token, kinds.OnOrder, expected=expected)
        async with self._database.session() as session:
            job_id = await self._offers.jobs.enqueue(kinds.Plain, job, session=session)
            await self._events.publish(event, session=session)
            if fails:
                await session.rollback()
                return
        self._offers.stored(job.token, job_id)
        self._offers.stored(event.token)

    async def _workflow(self) -> None:
        """Add a fan-out, a fan-in, jobs on all conditions, and a chain."""
        nodes: list[tuple[Task, WorkflowNode]] = []
        async with self._offers.jobs.workflow("chaos") as workflow:

            def add(after: list[WorkflowNode], when: RunWhen = "succeeded") -> WorkflowNode:
                fails = random.random() < 0.05  # noqa: S311
                task = self._task(seconds=0.05, fails=fails)
                node = workflow.add(kinds.Part, task, after=after, when=when)
                ids = [str(each.job_id) for each in after]
                facts = {"expected": "any", "after": ids, "when": when}
                self._offers.offered(task.token, kinds.Part, **facts)
                nodes.append((task, node))
                return node

            first = add([])
            parts = [add([first]) for _ in range(4)]
            last = add(parts)
            for when in get_args(RunWhen):
                add(parts, when)
            for _ in range(2):
                last = add([last])
        for task, node in nodes:
            self._offers.stored(task.token, node.job_id)
        last_of_many = self._task()
        self._offers.offered(last_of_many.token, kinds.Plain)
        batch = [self._task(seconds=0.02) for _ in range(3)]
        await self._offers.many(kinds.Threaded, batch, then=(kinds.Plain, last_of_many))
        self._offers.stored(last_of_many.token)

    async def _stepped(self) -> None:
        job = random.choice((Stepped, Stepped, SteppedApart))  # noqa: S311
        await self._offers.one(job, Entries(token=self._offers.token(), steps=4), steps=4)
        if job is SteppedApart:
            await self._offers.one(kinds.Apart, self._task(seconds=0.05))

    async def _doomed(self) -> None:
        tag = f"doomed-{self._offers.token()}"
        tasks = [self._task(seconds=0.5) for _ in range(6)]
        await self._offers.many(kinds.Doomed, tasks, tags=(tag,), priority=-40)
        await self._offers.one(CancelMany, Doom(token=self._offers.token(), tag=tag))

    async def _paused(self) -> None:
        """Pause a queue that nobody else uses; the pause ends by itself if this process dies."""
        until = datetime.now(UTC) + timedelta(seconds=2 * PAUSE_SECONDS)
        await self._offers.jobs.pause_queue(self._pausable, until=until, reason="chaos")
        with self._offers.ledger.span("paused", queue=self._pausable):
            await anyio.sleep(PAUSE_SECONDS)
        await self._offers.jobs.resume_queue(self._pausable)
