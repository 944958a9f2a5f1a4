"""`modhost users`, `modhost roles` and `modhost tokens`."""

from modhost.cli.context import with_scope
from modhost.identity import IdentityError
from modhost.identity.errors import (
    FixedRole,
    UnknownGrant,
    UnknownRole,
    UnusableExpiry,
    UnusableName,
    UnusablePassword,
)

with_identity = with_scope(
    IdentityError,
    usage_errors=(
        FixedRole,
        UnknownGrant,
        UnknownRole,
        UnusableExpiry,
        UnusableName,
        UnusablePassword,
    ),
)
"""Give a command the host's services, and report what they refuse."""
