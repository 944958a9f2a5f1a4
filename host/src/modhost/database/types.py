"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Dialect, String, Uuid
from sqlalchemy.types import TypeDecorator, TypeEngine

from modhost.database.errors import UnreadableValue


def to_sqlite(moment: datetime) -> str:
    """Return a moment as SQLite stores it: UTC, microseconds, so that text order is time order.

    Raises `ValueError` for a datetime without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; store aware datetimes only.")
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(sep=" ", timespec="microseconds")


def from_sqlite(text: str) -> datetime:
    """Return the moment that `to_sqlite` wrote. Raises `UnreadableValue` for any other text."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        raise UnreadableValue(f"it holds {text!r} where a time should be.") from None


def from_postgres(moment: datetime) -> datetime:
    """Return a moment in UTC; `infinity` arrives as the first or last one, without a time zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; one without a time zone is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Store text on SQLite, `timestamptz` on PostgreSQL."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Convert to UTC. Raises `ValueError` for a datetime without a time zone."""
        if value is None:
            return None
        text = to_sqlite(value)
        return text if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return from_sqlite(value) if dialect.name == "sqlite" else from_postgres(value)


class Identifier(TypeDecorator[UUID]):
    """A UUID: native on PostgreSQL, the canonical 36 characters on SQLite."""

    impl = Uuid
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Store text on SQLite, `uuid` on PostgreSQL."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(36))
        return dialect.type_descriptor(Uuid(as_uuid=True))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        """Return what the driver takes."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        """Return a UUID, of the standard library whatever the driver gives."""
        if value is None:
            return None
        try:
            return UUID(str(value))
        except ValueError:
            raise UnreadableValue(f"it holds {value!r} where an id should be.") from None
