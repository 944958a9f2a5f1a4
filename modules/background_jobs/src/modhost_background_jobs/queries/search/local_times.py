"""Times as people enter them: by the clock of their own time zone, which the form names."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from modhost_background_jobs.cron.zones import check_zone, zone_named

UTC_NAME: Final = "UTC"


def _known(name: str) -> str:
    check_zone(name)
    return name


ZoneName = Annotated[str, Field(max_length=100), AfterValidator(_known)]
"""The IANA name of a time zone; browsers know their own, and forms send UTC without JavaScript."""


def in_zone(moment: datetime, zone: str) -> datetime:
    """Return a time of the clock in a zone, unless it names its own zone already.

    Of an hour that a clock goes through twice it is the first.
    """
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone_named(zone))
