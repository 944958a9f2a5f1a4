"""Types that PostgreSQL has by name, each of a schema: enumerations and domains."""

from typing import Any

from sqlalchemy import ARRAY, Enum, TypeDecorator
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import TypeEngine


def named_type(type_: TypeEngine[Any] | None) -> Enum | DOMAIN | None:
    """Return the enumeration or domain that a column's type is made of on PostgreSQL, if any."""
    while type_ is not None:
        variant = type_._variant_mapping.get("postgresql")
        if variant is not None:
            type_ = variant
        elif isinstance(type_, TypeDecorator):
            type_ = type_.impl_instance
        elif isinstance(type_, ARRAY):
            type_ = type_.item_type
        else:
            break
    if isinstance(type_, DOMAIN) or (isinstance(type_, Enum) and type_.native_enum):
        return type_
    return None
