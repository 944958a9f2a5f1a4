"""Pauses of queues and job types, as everybody reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

PauseKind: TypeAlias = Literal["queue", "type"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRow:
    """A pause, which ends by itself at `paused_until`."""

    kind: PauseKind
    name: str
    paused_at: datetime
    paused_by: str | None
    paused_until: datetime | None
    reason: str

    def is_active(self, now: datetime) -> bool:
        """Return whether it has not ended."""
        return self.paused_until is None or self.paused_until > now
