"""Who did what to what, from where, when, and with which outcome: appended, never edited."""

from modhost.audit.contracts import (
    AuditEntry,
    AuditLog,
    AuditPage,
    AuditReader,
    AuditSearch,
    Outcome,
)
from modhost.audit.recording import Record, recorded

__all__ = [
    "AuditEntry",
    "AuditLog",
    "AuditPage",
    "AuditReader",
    "AuditSearch",
    "Outcome",
    "Record",
    "recorded",
]
