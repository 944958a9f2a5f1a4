"""Cron schedules in a time zone, with a rule for the days on which clocks are changed.

A schedule whose minute and hour are fixed runs once for each local time: at the jump when the gap
in spring skips it, the first time only when the overlap in autumn brings it twice. One whose minute
or hour is `*` or `*/n` follows elapsed time: it fires whenever the local clock shows a time that
matches. croniter finds the matching local times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from modhost_background_jobs.contracts import InvalidCronExpression, UnknownTimeZone
from modhost_background_jobs.cron.description import in_words
from modhost_background_jobs.cron.fields import Field, binds_both_days, parse_fields
from modhost_background_jobs.cron.zones import check_zone, zone_named

DAY: Final = timedelta(days=1)
# The widest change of a clock that ever was: a day, when Samoa crossed the date line.
WIDEST_CHANGE: Final = timedelta(hours=25)
INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """A cron expression in a time zone (an IANA name)."""

    expression: str
    time_zone: str
    fields: tuple[Field, ...]

    @staticmethod
    def parse(expression: str, time_zone: str = "UTC") -> "CronSchedule":
        """Read five fields, or a macro such as `@daily`.

        Raises `InvalidCronExpression` and `UnknownTimeZone`, which say what is allowed.
        """
        if not isinstance(expression, str):
            raise InvalidCronExpression(f"The cron expression is {expression!r}; give it a text.")
        if not isinstance(time_zone, str):
            raise UnknownTimeZone(f"The time zone is {time_zone!r}; give the text of an IANA name.")
        return _parse(expression, time_zone)

    @staticmethod
    def stored(expression: str, time_zone: str) -> "CronSchedule":
        """Read what was stored, which may be refused today and continues as it did.

        Raises `InvalidCronExpression` and `UnknownTimeZone` for what cannot be read here.
        """
        return _stored(expression, time_zone)

    def means_the_same(self, other: "CronSchedule") -> bool:
        """Whether another one has the same due times, however it is written."""
        return self._meaning == other._meaning

    @property
    def _meaning(self) -> tuple[object, ...]:
        return self.time_zone, *((each.values, each.is_wild) for each in self.fields)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first due time after a moment (aware), in UTC."""
        after = moment.astimezone(UTC)
        minute, hour = self.fields[:2]
        if minute.is_wild or hour.is_wild:
            return self._next_elapsed(after)
        return self._next_fixed(after)

    def due_between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """Return the due times after one moment and up to another, at most `limit` of them."""
        due: list[datetime] = []
        moment = self.next_after(after)
        while moment <= until and len(due) < limit:
            due.append(moment)
            moment = self.next_after(moment)
        return due

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """Return the next due times after a moment."""
        return self.due_between(moment, datetime.max.replace(tzinfo=UTC), count)

    def describe(self) -> str:
        """Return the schedule in words."""
        return in_words(self.fields)

    def _next_fixed(self, after: datetime) -> datetime:
        zone = zone_named(self.time_zone)
        start = _local(after, zone)
        if _offset(after - WIDEST_CHANGE, zone) != _offset(after, zone):
            # Local times that the clock showed, or skipped, before the change may still be due.
            start -= WIDEST_CHANGE
        for local in self._matches_after(start):
            due = _instant(local, zone)
            if due > after:
                return due
        raise AssertionError

    def _next_elapsed(self, after: datetime) -> datetime:
        zone = zone_named(self.time_zone)
        while True:
            offset = _offset(after, zone)
            local = next(self._matches_after((after + offset).replace(tzinfo=None)))
            due = local.replace(tzinfo=UTC) - offset
            change = _first_change(after, due, zone)
            if change is None:
                return due
            # From the change on, the local clock is another one; look again from just before it.
            after = change
            local = _local(change, zone)
            if next(self._matches_after(local - INSTANT)) == local:
                return change

    def _matches_after(self, local: datetime) -> Iterator[datetime]:
        """Yield the local times that match, after one; both without a zone."""
        # Most processes never ask, and croniter takes a while to import.
        from croniter import croniter

        plain = " ".join(field.for_croniter for field in self.fields)
        is_either = not binds_both_days(self.fields)
        times = croniter(plain, local, day_or=is_either, max_years_between_matches=100)
        while True:
            yield times.get_next(datetime)


@lru_cache(maxsize=1024)
def _parse(expression: str, time_zone: str) -> CronSchedule:
    if not expression.strip():
        msg = "The cron expression is empty; write five fields, e.g. '0 0 1 * *'."
        raise InvalidCronExpression(msg)
    check_zone(time_zone)
    return CronSchedule(" ".join(expression.split()), time_zone, parse_fields(expression))


@lru_cache(maxsize=1024)
def _stored(expression: str, time_zone: str) -> CronSchedule:
    zone_named(time_zone)
    return CronSchedule(expression, time_zone, parse_fields(expression, is_stored=True))


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when a local clock shows a time for the first time, or jumps over it."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _local(first, zone) == local:
        return first
    # In a gap: the offset before it is that of fold 0, and the jump is between the two readings.
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _first_change(min(first, second) - INSTANT, max(first, second), zone) or first


def _first_change(after: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first moment after one and up to another at which the zone's offset changes."""
    offset = _offset(after, zone)
    low = after
    while low < until:
        high = min(low + DAY, until)
        if _offset(high, zone) != offset:
            return _narrowed(low, high, offset, zone)
        low = high
    return None


def _narrowed(low: datetime, high: datetime, offset: timedelta, zone: ZoneInfo) -> datetime:
    while high - low > INSTANT:
        middle = low + (high - low) / 2
        if _offset(middle, zone) == offset:
            low = middle
        else:
            high = middle
    return high
