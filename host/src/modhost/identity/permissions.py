"""The permissions of the host itself."""

from typing import Final

from modhost.permissions import Permission

MANAGE_USERS: Final = Permission("Identity.ManageUsers", "Manage users and their roles")
MANAGE_TOKENS: Final = Permission("Identity.ManageTokens", "Manage API tokens")
