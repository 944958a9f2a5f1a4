"""Limits of what callers may ask of a job, checked before it is stored with those of others."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import BaseModel

from modhost_background_jobs.contracts import InvalidJobData, JobNotFound
from modhost_background_jobs.contracts.job_checks import LONGEST, MAX_ATTEMPTS

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
LONGEST_NAME: Final = 200
Policy = TypeVar("Policy", bound=StrEnum)


def due_time(execute_at: datetime) -> datetime:
    """Return the time in UTC. Raises `InvalidJobData`.

    The bounds leave room for every arithmetic that the queue and its databases do with it.
    """
    if not isinstance(execute_at, datetime):
        raise InvalidJobData(f"execute_at is {execute_at!r}; give a datetime with a time zone.")
    if execute_at.tzinfo is None:
        msg = f"execute_at is {execute_at!s} without a time zone; give it one, such as UTC."
        raise InvalidJobData(msg)
    try:
        moment = execute_at.astimezone(UTC)
    except OverflowError:
        moment = None
    if moment is None or not EARLIEST <= moment < LATEST:
        msg = f"execute_at is {execute_at.isoformat()}; give a time of the years 1970 to 8999."
        raise InvalidJobData(msg)
    return moment


def several(data: Any) -> Iterable[Any]:
    """Return the data of several jobs. Raises `InvalidJobData` for those of one.

    Each character, key or field of these would make a job.
    """
    is_one = isinstance(data, str | bytes | bytearray | Mapping | BaseModel)
    # A named tuple is one, too.
    if is_one or hasattr(data, "_fields") or not isinstance(data, Iterable):
        msg = f"The data of enqueue_many are of type {type(data).__name__}; "
        raise InvalidJobData(f"{msg}give a list of data, or use enqueue.")
    return data


def bounded(data: str | None, most: int) -> str | None:
    """Return the JSON of data. Raises `InvalidJobData` for more characters than `most`."""
    if data is not None and len(data) > most:
        msg = f"The data has {len(data)} characters as JSON, and max_data_size allows {most}. "
        msg += "Store it in a file or a table and enqueue where it is, or raise max_data_size in "
        raise InvalidJobData(f"{msg}[modules.background_jobs].")
    return data


def attempts(asked: int | None, of_class: int | None, default: int) -> int:
    """Return how often a job may be attempted. Raises `InvalidJobData`."""
    asked = of_class if asked is None else asked
    if asked is None:
        return default
    if type(asked) is not int or not 1 <= asked <= MAX_ATTEMPTS:
        raise InvalidJobData(f"max_attempts is {asked!r}; give a number from 1 to {MAX_ATTEMPTS}.")
    return asked


def as_uuid(id: object) -> UUID | None:  # noqa: A002
    """Return the id as a UUID, which it may be the text of; None for what is none."""
    try:
        return id if isinstance(id, UUID) else UUID(str(id))
    except ValueError:
        return None


def known_id(id: object, what: str = "job") -> UUID:  # noqa: A002
    """Return the id as a UUID. Raises `JobNotFound` for what no job can have."""
    found = as_uuid(id)
    if found is None:
        raise JobNotFound(id, what)
    return found


def policy(kind: type[Policy], value: str) -> Policy:
    """Return a policy. Raises `InvalidJobData`, which lists them."""
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(f"{kind.__name__}.{each.name}" for each in kind)
        raise InvalidJobData(f"{ascii(value)[:40]} is none of {known}.") from None


def schedule_name(name: str) -> str:
    """Return the name of a recurring job. Raises `InvalidJobData` for what nobody could read."""
    if not isinstance(name, str):
        raise InvalidJobData(f"The name of a recurring job is {name!r}; give it a text.")
    problem = None
    if not name.strip():
        problem = "is blank"
    elif len(name) > LONGEST_NAME:
        problem = f"has {len(name)} characters"
    elif not name.isprintable():
        problem = "has a control character or an unpaired surrogate"
    if problem:
        msg = f"The name {name[:40]!a} of a recurring job {problem}; give it 1 to "
        raise InvalidJobData(f"{msg}{LONGEST_NAME} printable characters.")
    return name


def timeout_seconds(asked: timedelta | None, default: timedelta | None) -> float | None:
    """Return the seconds that an attempt may take, None for any time. Raises `InvalidJobData`."""
    timeout = default if asked is None else asked
    if timeout is None:
        return None
    if not isinstance(timeout, timedelta) or not timedelta(0) < timeout <= LONGEST:
        msg = f"timeout is {timeout!r}; give a positive timedelta of at most {LONGEST.days} days."
        raise InvalidJobData(msg)
    return timeout.total_seconds()


def wait_seconds(timeout: timedelta) -> float:
    """Return the seconds that a caller waits. Raises `InvalidJobData`."""
    if not isinstance(timeout, timedelta) or not timedelta(0) <= timeout <= LONGEST:
        msg = f"timeout is {timeout!r}; give a timedelta from 0 to {LONGEST.days} days."
        raise InvalidJobData(msg)
    return timeout.total_seconds()
