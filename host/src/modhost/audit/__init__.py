"""The audit: who did what to what, when, from where and with which outcome; append-only."""

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
