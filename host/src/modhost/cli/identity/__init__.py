"""`modhost users`, `modhost roles` and `modhost tokens`."""

import click

from modhost.cli.context import with_scope
from modhost.identity import IdentityError, errors

with_identity = with_scope(
    IdentityError,
    usage_errors=(
        *(errors.FixedRole, errors.UnknownGrant, errors.UnknownRole),
        *(errors.UnusableExpiry, errors.UnusableName, errors.UnusablePassword),
    ),
)
"""Make a command of an async function that manages users, roles or tokens."""

permissions_option = click.option(
    "--permission",
    "permissions",
    multiple=True,
    help="A permission, or a wildcard such as 'Reports.*'; may be repeated.",
)
