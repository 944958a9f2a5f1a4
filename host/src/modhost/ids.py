"""Identifiers: UUIDv7 (RFC 9562), so that they sort by the time of their creation."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new UUIDv7; two of one process never sort against the order of their calls."""
    return uuid7()
