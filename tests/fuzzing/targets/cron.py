"""Cron expressions and time zones: read, described, their due times, and recurring jobs of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from fuzzing.attacked import AttackedHost
from fuzzing.exchange import Fault
from fuzzing.inputs.kinds import JOBS
from fuzzing.inputs.texts import ZONES, mostly, texts, varied
from fuzzing.oracle import with_bound
from modhost import Scope
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    BackgroundJobsError,
    InvalidCronExpression,
    RecurringJob,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.fields import KINDS
from modhost_background_jobs.cron.schedule import CronSchedule

EXPRESSIONS: Final = (
    *("0 0 1 * *", "*/5 * * * *", "0 9-17/2 * * MON-FRI", "30 2 * * *", "59 23 31 12 *"),
    *("0 0 30 2 *", "0 0 29 2 *", "0 0 29 2 MON", "0 0 31 2,4,6,9,11 *", "0 0 31 FEB MON"),
    *("0 0 29 2 */2", "0 0 */31 2 *", "0 0 30-31/1 2 7", "1--100000000 * * * *", "@daily"),
    *("@YEARLY", "@reboot", "* * * * * *", "* * * *", "60 24 32 13 8", "*/0 * * * *"),
    *("*/100 * * * *", "0 0 1 1 *", "0 0 * * SUN-SAT", "0 0 * * SAT-SUN", "0 0 L * *"),
    *("0 0 * * 5#2", "0 0 15W * *", "5-1 * * * *", "0,0,0 0 1,1 * *", "? ? ? ? ?", "* * * * 7"),
)
NAMES: Final = ("JAN", "feb", "Dec", "MON", "sun", "SAT", "*", "?", "L", "W", "#", "H")
CPU_SECONDS: Final = 3.0
DUE_TIMES: Final = 6
DAYS: Final = timedelta(days=366 * 41)
"""Leap days that are a certain day of the week come after at most 40 years."""


def _valid() -> st.SearchStrategy[str]:
    """Return a strategy of five fields, each within its range."""
    return st.tuples(*(_field(kind.least, kind.most) for kind in KINDS)).map(" ".join)


def _field(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    span = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)
    listed = st.lists(number, min_size=1, max_size=3).map(lambda each: ",".join(map(str, each)))
    step = st.integers(2, max(2, most // 2))
    return st.one_of(
        st.just("*"), listed, step.map("*/{}".format), span.map("{0[0]}-{0[1]}".format)
    )


def _fields() -> st.SearchStrategy[str]:
    number = st.one_of(st.integers(0, 62).map(str), st.sampled_from(NAMES))
    part = st.one_of(
        st.sampled_from(("*", "*/2", "*/7", "*/15", "*/59", "29", "30", "31", "2")),
        number,
        st.builds("{}-{}".format, number, number),
        st.builds("{}/{}".format, number, st.integers(-1, 70)),
        st.builds("{}-{}/{}".format, number, number, st.integers(0, 40)),
    )
    field = st.lists(part, min_size=1, max_size=3).map(",".join)
    return st.lists(field, min_size=5, max_size=5).map(" ".join)


def _moments(first: int, last: int) -> st.SearchStrategy[datetime]:
    ends = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (first, last))
    return st.datetimes(*ends)


@dataclass
class Cron:
    """Each input is a schedule and the moment after which it is due."""

    host: AttackedHost
    name: str = "cron"

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        known = st.sampled_from((*ZONES[:12], *sorted(available_timezones())))
        zones = mostly(known, texts(*ZONES))
        far, near = _moments(1900, 9900), _moments(2025, 2035)
        moments = st.one_of(near, near, far).map(str)
        return st.fixed_dictionaries(
            {
                "expression": mostly(
                    _valid(), st.one_of(_fields(), varied(EXPRESSIONS), texts(*EXPRESSIONS)), 3
                ),
                "zone": zones,
                "after": moments,
            }
        )

    def attack(self, given: Any) -> str:
        expression, zone = given["expression"], given["zone"]
        after = datetime.fromisoformat(given["after"]).replace(tzinfo=UTC)
        try:
            schedule = CronSchedule.parse(expression, zone)
        except (InvalidCronExpression, UnknownTimeZone) as error:
            with self.host.logged.refused():
                self._is_refused(expression, zone, str(error))
            return type(error).__name__
        if not schedule.describe():
            raise Fault("it is described by nothing")
        due = with_bound(CPU_SECONDS, lambda: schedule.upcoming(after, DUE_TIMES))
        self._check(schedule, after, due)
        with self.host.logged.refused():
            self.host.run(_added_and_removed, expression, zone)
        return "due" if len(due) == DUE_TIMES else "the end of time"

    def _is_refused(self, expression: str, zone: str, message: str) -> None:
        if not message or "\n" in message or len(message) > 1000:
            raise Fault(f"the error says {message!r}")
        try:
            self.host.run(_added_and_removed, expression, zone)
        except BackgroundJobsError:
            return
        raise Fault("the contract takes what cannot be read")

    def _check(self, schedule: CronSchedule, after: datetime, due: list[datetime]) -> None:
        moments = [after, *due]
        if moments != sorted(set(moments)):
            raise Fault(f"due times are not in order: {moments}")
        if due and due[0] - after > DAYS:
            raise Fault(f"it is due after {due[0] - after}")
        minute, hour = schedule.fields[:2]
        local = ZoneInfo(schedule.time_zone)
        for moment in due:
            shown = moment.astimezone(local)
            is_off = shown.minute not in minute.values or shown.hour not in hour.values
            # A time that a gap skips is due at the jump.
            before = (moment - timedelta(minutes=1)).astimezone(local)
            if is_off and before.utcoffset() == shown.utcoffset():
                raise Fault(f"{shown} does not match")


async def _added_and_removed(scope: Scope, expression: str, zone: str) -> None:
    """Add a recurring job, check what is said of it, and remove it."""
    jobs = await scope.get(BackgroundJobs)
    added = await jobs.add_recurring(
        JOBS["Text"], name="cron", cron_expression=expression, data="a", time_zone=zone
    )
    listed = await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs()
    found = next((each for each in listed if each.id == added), None)
    await jobs.remove_recurring(added)
    _check_listed(found)


def _check_listed(found: RecurringJob | None) -> None:
    if found is None or found.next_run_at is None:
        raise Fault("the recurring job is not listed, or never due")
    if found.next_run_at < datetime.now(UTC) - timedelta(seconds=60):
        raise Fault(f"the recurring job is due in the past: {found.next_run_at}")
