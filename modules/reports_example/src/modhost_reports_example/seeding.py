"""The schedule that the module brings along, set up once."""

from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from modhost import Clock
from modhost.database import Database
from modhost_background_jobs.contracts import BackgroundJobs
from modhost_reports_example.contracts import ReportRequest, ReportType
from modhost_reports_example.jobs.generate_report import GenerateReportJob
from modhost_reports_example.tables import Seed

NAME = "Monthly Report"


class MonthlyReportSeed:
    """Adds the monthly report, unless it was added before: who deleted it does not get it back."""

    def __init__(self, database: Database, jobs: BackgroundJobs, clock: Clock) -> None:
        self._database = database
        self._jobs = jobs
        self._clock = clock

    async def plant(self) -> None:
        """Add the schedule once, however many hosts start at the same time."""
        async with self._database.reading() as session:
            if await session.get(Seed, NAME) is not None:
                return
        with suppress(IntegrityError):  # another host was faster
            await self._plant()

    async def _plant(self) -> None:
        """Remember the seed and add the schedule in one transaction: both exist, or neither."""
        async with self._database.session() as session:
            session.add(Seed(name=NAME, created_at=self._clock.now()))
            await session.flush()
            await self._jobs.add_recurring(
                GenerateReportJob,
                name=NAME,
                cron_expression="0 0 1 * *",
                data=ReportRequest(type=ReportType.MONTHLY, source="seattle-weather"),
                session=session,
            )
