"""The contract for recurring jobs: how they are added and changed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar, Unpack, overload

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts.ids import JobId, RecurringJobId
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.scheduling.definitions import (
    CatchUpPolicy,
    OverlapPolicy,
    RecurringDefinition,
    RecurringOptions,
)

Data = TypeVar("Data")


class RecurringScheduling(Protocol):
    """Add, change, run and remove recurring jobs.

    Every method takes a `session`, which makes what it does part of the caller's transaction.
    """

    @overload
    async def add_recurring(
        self,
        job: type[ModuleJob[Data, Any]],
        *,
        name: str,
        cron_expression: str,
        data: Data,
        **options: Unpack[RecurringOptions],
    ) -> RecurringJobId: ...

    @overload
    async def add_recurring(
        self,
        job: type[ModuleJob[None, Any]],
        *,
        name: str,
        cron_expression: str,
        data: None = None,
        **options: Unpack[RecurringOptions],
    ) -> RecurringJobId: ...

    async def add_recurring(
        self,
        job: type[ModuleJob],
        *,
        name: str,
        cron_expression: str,
        data: Any = None,
        time_zone: str = "UTC",
        overlap: OverlapPolicy = OverlapPolicy.SKIP,
        catch_up: CatchUpPolicy = CatchUpPolicy.ONE,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        session: AsyncSession | None = None,
    ) -> RecurringJobId:
        """Add a recurring job, or update the one with this name.

        An update keeps the id, and a recurring job that somebody disabled stays disabled. When the
        expression changes, a run that is due by the old one is fired first.

        Args:
            job: the class of the jobs, which a module registered with `add_module_job`.
            name: its name, unique within the module of the job: 1 to 200 printable characters.
            cron_expression: five fields (minute, hour, day of month, month, day of week), or one
                of `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly`.
            data: the input of each run, anything that pydantic serializes to JSON; None by
                default.
            time_zone: the IANA name of the zone in which the expression is read; UTC by default.
            overlap: what happens at a due time while an earlier run has not finished; by default
                the run is skipped.
            catch_up: what happens to due times that passed while no consumer ran; by default the
                latest of them has a run.
            max_attempts: attempts before a run fails, 1 to 1,000,000; see `enqueue`.
            timeout: how long one attempt may take, up to 36,500 days; see `enqueue`.
            queue: the queue that runs wait in; see `enqueue`.
            priority: -100 to 100, higher first; see `enqueue`.
            tags: words that people find runs by; see `enqueue`.
            session: makes the change part of the caller's transaction; see `enqueue`.

        Returns:
            The id of the recurring job.

        Raises:
            InvalidCronExpression: the expression is malformed, out of range or never fires.
            UnknownTimeZone: `time_zone` is not an IANA name, or unknown to this machine.
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: the data is not serializable to JSON, too large or without a field that
                the class needs, or `name`, `max_attempts` or `timeout` is out of bounds.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.

        """

    async def set_recurring(
        self,
        module: str,
        recurring: Sequence[RecurringDefinition],
        *,
        session: AsyncSession | None = None,
    ) -> list[RecurringJobId]:
        """Make these the recurring jobs of a module, and no others.

        Each one is added or updated as by `add_recurring`. Those that the module has besides are
        removed, so that one that was renamed or deleted in code does not fire any more; those that
        people created or edited by hand stay.

        Args:
            module: the name of the module, whose jobs all of them are.
            recurring: what defines each of them; none removes all.
            session: makes the change part of the caller's transaction; see `enqueue`.

        Returns:
            The ids of the recurring jobs, in the order of `recurring`.

        Raises:
            InvalidJobData: two of them have one name, a job belongs to another module, or for the
                reasons that `add_recurring` gives.
            InvalidCronExpression: an expression is malformed, out of range or never fires.
            UnknownTimeZone: a zone is not an IANA name, or unknown to this machine.
            UnregisteredJob: no module registered one of the classes on this host.
            InvalidFlow: a `queue`, a `priority` or a tag is out of bounds.

        """

    async def enable_recurring(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> None:
        """Enable a recurring job; due times that passed while it was disabled are not caught up.

        One that is enabled stays as it is.

        Args:
            recurring_id: the recurring job to enable.
            session: makes the change part of the caller's transaction; see `enqueue`.

        Raises:
            JobNotFound: there is no such recurring job.
            InvalidCronExpression: this version cannot read the stored expression.
            UnknownTimeZone: this machine does not know the stored time zone.

        """

    async def disable_recurring(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> None:
        """Disable a recurring job; a run that is due and has not fired is recorded as skipped.

        One that is disabled stays as it is.

        Args:
            recurring_id: the recurring job to disable.
            session: makes the change part of the caller's transaction; see `enqueue`.

        Raises:
            JobNotFound: there is no such recurring job.

        """

    async def toggle_recurring(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> bool:
        """Enable a disabled recurring job, or disable an enabled one.

        A repeated call undoes the first one; `enable_recurring` and `disable_recurring` do not.

        Args:
            recurring_id: the recurring job to toggle.
            session: makes the change part of the caller's transaction; see `enqueue`.

        Returns:
            Whether it is enabled now.

        Raises:
            JobNotFound: there is no such recurring job.
            InvalidCronExpression: this version cannot read the stored expression.
            UnknownTimeZone: this machine does not know the stored time zone.

        """

    async def remove_recurring(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> None:
        """Remove a recurring job; its runs stay, and a running one continues.

        Args:
            recurring_id: the recurring job to remove.
            session: makes the change part of the caller's transaction; see `enqueue`.

        Raises:
            JobNotFound: there is no such recurring job.

        """

    async def run_recurring_now(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> JobId:
        """Enqueue a run of a recurring job now, in addition to its due times.

        Args:
            recurring_id: the recurring job to run.
            session: makes the run part of the caller's transaction; see `enqueue`.

        Returns:
            The id of the new job; see `enqueue`.

        Raises:
            JobNotFound: there is no such recurring job.

        """
