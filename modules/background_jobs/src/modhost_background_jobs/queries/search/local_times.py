"""Times as people enter them: by the clock of their own time zone, which the form names."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from modhost_background_jobs.cron.zones import check_zone, zone_named

UTC_NAME: Final = "UTC"
_DAY_LENGTH: Final = len("2026-11-29")


def _known(name: str) -> str:
    check_zone(name)
    return name


ZoneName = Annotated[str, Field(max_length=100), AfterValidator(_known)]
"""The IANA name of a time zone; browsers know their own, and forms send UTC without JavaScript."""


def _read(value: object) -> object:
    """Read a day or a time. Raises `ValueError`."""
    if not isinstance(value, str):
        return value
    try:
        is_day = len(value) <= _DAY_LENGTH
        return date.fromisoformat(value) if is_day else datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(
            f"{value[:40]!r} is not a day or a time; write 2026-11-29T03:00."
        ) from None


LocalTime = Annotated[datetime | date, BeforeValidator(_read)]
"""A day, or a time by the clock of a zone."""


def start_of(given: datetime | date, zone: str) -> datetime | None:
    """Return the time, or when the day begins; None for one before all others."""
    moment = given if isinstance(given, datetime) else datetime.combine(given, time())
    return _in_utc(in_zone(moment, zone))


def end_of(given: datetime | date, zone: str) -> datetime | None:
    """Return the time, or when the day ends; None for one after all others."""
    if isinstance(given, datetime):
        return start_of(given, zone)
    return None if given == date.max else start_of(given + timedelta(days=1), zone)


def _in_utc(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def in_zone(moment: datetime, zone: str) -> datetime:
    """Return a time of the clock in a zone, unless it names its own zone already.

    Of an hour that a clock goes through twice it is the first.
    """
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone_named(zone))
