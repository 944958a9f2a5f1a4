"""Compare the type of a column with that of its model, on either database."""

import re
from typing import Any, Final

from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Column, Dialect, types
from sqlalchemy.dialects import postgresql

from modhost.database.migrations.enumeration_checks import refused_values

_Type = types.TypeEngine[Any]

_FAMILIES: Final = (
    *((types.Boolean,), (types.Date,), (types.DateTime,), (types.Integer,)),
    *((types.Float, types.Numeric), (types.String,), (types.Time,)),
)
_OF_POSTGRES: Final = (
    *((types.ARRAY,), (types.Interval, postgresql.INTERVAL), (types.JSON,), (types.LargeBinary,)),
    (types.Uuid,),
)
"""Families that SQLite stores as others."""
_ENUMERATIONS: Final = (types.Enum,)
_SINGLE: Final = re.compile(r"REAL|FLOAT\(([1-9]|1\d|2[0-4])\)")
"""Fractions of half the digits that others have."""


def is_other_type(
    context: MigrationContext,
    _existing_column: Column[Any],
    _wanted_column: Column[Any],
    existing: _Type,
    wanted: _Type,
) -> bool:
    """Return whether a column's type cannot hold what its model says; called by alembic.

    `text` does for `varchar`, `integer` does not. SQLite keeps to families alone, PostgreSQL to
    lengths, digits, time zones and the values of enumerations, too.
    """
    return _is_other(existing, wanted, context.dialect)


def is_changed_type(
    context: MigrationContext,
    existing_column: Column[Any],
    wanted_column: Column[Any],
    existing: _Type,
    wanted: _Type,
) -> bool:
    """Return whether a column's type, or which values it takes, is not that of the model."""
    dialect = context.dialect
    constraints = existing_column.table.constraints
    checks = [str(each.sqltext) for each in constraints if isinstance(each, CheckConstraint)]
    if _is_other(existing, wanted, dialect) or refused_values(wanted_column, checks):
        return True
    return _size(_stored(existing, dialect)) != _size(_stored(wanted, dialect))


def _is_other(existing: _Type, wanted: _Type, dialect: Dialect) -> bool:
    there, needed = _stored(existing, dialect), _stored(wanted, dialect)
    family, other = _family(there, dialect), _family(needed, dialect)
    if family is None or other is None:
        return False
    if family is not other:
        return True
    if dialect.name == "sqlite":
        return False
    if isinstance(there, types.ARRAY) and isinstance(needed, types.ARRAY):
        return _is_other(there.item_type, needed.item_type, dialect)
    halved = _is_single(existing, dialect) and not _is_single(wanted, dialect)
    return halved or _is_narrower(there, needed)


def _stored(type_: _Type, dialect: Dialect) -> _Type:
    """Return the type that a custom type, a variant or a domain is stored as."""
    stored = type_.dialect_impl(dialect)
    while isinstance(stored, types.TypeDecorator):
        stored = stored.impl_instance
    if isinstance(stored, postgresql.DOMAIN):
        return _stored(stored.data_type, dialect)
    if not isinstance(stored, types.Uuid):
        return stored
    return stored if stored.native_uuid and dialect.supports_native_uuid else types.CHAR(32)


def _family(type_: _Type, dialect: Dialect) -> tuple[type[_Type], ...] | None:
    if dialect.name == "sqlite":
        return next((family for family in _FAMILIES if isinstance(type_, family)), None)
    if isinstance(type_, types.Enum) and type_.native_enum:
        return _ENUMERATIONS
    families = (*_FAMILIES, *_OF_POSTGRES)
    return next((family for family in families if isinstance(type_, family)), None)


def _is_narrower(existing: _Type, wanted: _Type) -> bool:
    """Return whether a type of PostgreSQL lacks values of another one of its family."""
    match existing, wanted:
        case types.Enum(native_enum=True), types.Enum():
            is_named_so = (existing.name or "").lower() == (wanted.name or "").lower()
            return not is_named_so or not set(wanted.enums) <= set(existing.enums)
        case types.String(length=int(length)), types.String():
            return wanted.length is None or length < wanted.length
        case ((types.DateTime() | types.Time()), (types.DateTime() | types.Time())):
            return existing.timezone != wanted.timezone
        case types.Integer(), types.Integer():
            return _digits(existing) < _digits(wanted)
        case types.Numeric(precision=int()), types.Float():
            return True
        case types.Float(), types.Numeric():
            return True
        case types.Numeric(precision=int()), types.Numeric():
            whole, fraction = _places(existing)
            others, more = _places(wanted)
            return wanted.precision is None or whole < others or fraction < more
    return False


def _size(type_: _Type) -> object:
    """Return what bounds the values of a type, of either database."""
    match type_:
        case types.ARRAY():
            return _size(type_.item_type)
        case types.Enum(native_enum=True):
            return type_.length
        case types.String():
            return type_.length
        case types.Integer():
            return _digits(type_)
        case types.Numeric(precision=int()):
            return _places(type_)
    return None


def _digits(type_: types.Integer) -> int:
    if isinstance(type_, types.SmallInteger):
        return 4
    return 18 if isinstance(type_, types.BigInteger) else 9


def _places(type_: types.Numeric[Any]) -> tuple[int, int]:
    """Return the digits before and after the point."""
    precision, scale = type_.precision or 0, type_.scale or 0
    return precision - scale, scale


def _is_single(type_: _Type, dialect: Dialect) -> bool:
    number = isinstance(_stored(type_, dialect), types.Float)
    return number and _SINGLE.fullmatch(type_.compile(dialect=dialect)) is not None
