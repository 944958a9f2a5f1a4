"""The permission of the audit."""

from typing import Final

from modhost.permissions import Permission

VIEW_AUDIT: Final = Permission("Host.ViewAudit", "See who did what")
