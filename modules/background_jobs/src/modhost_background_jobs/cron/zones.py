"""Time zones by their IANA names, which mean the same on every machine."""

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modhost_background_jobs.contracts import UnknownTimeZone

# Machines have them beside the zones: their own zone, a placeholder, and other readings of all.
_LOCAL: Final = ("localtime", "posixrules", "Factory", "posix", "right")


@lru_cache(maxsize=256)
def zone_named(name: str) -> ZoneInfo:
    """Return a zone that this machine knows. Raises `UnknownTimeZone`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"{name[:60]!r} is not a time zone that this machine knows; write an IANA name such "
        raise UnknownTimeZone(f"{msg}as 'Europe/Berlin', or install its zone data.") from error


def check_zone(name: str) -> None:
    """Raise `UnknownTimeZone` unless the name is that of a zone, and not of a machine's own."""
    zone_named(name)
    if name.partition("/")[0] in _LOCAL:
        msg = f"{name!r} is another time zone on another machine; write an IANA name such as "
        raise UnknownTimeZone(f"{msg}'Europe/Berlin'.")
