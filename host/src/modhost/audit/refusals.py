"""Requests that were refused to somebody known: told by the audit, without letting them fill it."""

from collections import OrderedDict
from typing import Final

from modhost.audit.contracts import AuditLog, Outcome
from modhost.clock import Clock

_PAUSE_SECONDS: Final = 60.0
_REMEMBERED: Final = 1000


class RefusedRequests:
    """Records a refused request; of one caller's requests to one route, one a minute."""

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def note(self, who: str, route: str, path: str, reason: str) -> None:
        """Record that the current caller, whose id is `who`, was refused."""
        now, key = self._clock.monotonic(), (who, route)
        if now - self._told.get(key, -_PAUSE_SECONDS) < _PAUSE_SECONDS:
            return
        self._told[key] = now
        self._told.move_to_end(key)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        await self._audit.record(route, path, outcome=Outcome.REFUSED, detail=reason)
