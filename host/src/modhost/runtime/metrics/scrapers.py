"""Who scrapes: authenticated as everybody is, and known for a while without the database."""

from typing import Final

import anyio
from starlette.requests import Request

from modhost import Permission, Principal, Scope
from modhost.database import Database, DatabaseUnreachable
from modhost.identity import Authenticator
from modhost.identity.access.credentials import hash_of

PATH: Final = "/metrics"
VIEW_METRICS: Final = Permission("Host.ViewMetrics", "Read the metrics of a process")

_SILENT: Final = "The database does not answer."
_REMEDY: Final = "Check that it runs and can be reached."
TIMEOUT: Final = 2.0
REMEMBERED_SECONDS: Final = 3600.0
MAX_REMEMBERED: Final = 20


class CallerAuthentication:
    """Asks the authenticator among the services, which exists once the host runs.

    A scraper whose token was good the last time is let in while the database cannot be asked: that
    is when its metrics matter most. It may read metrics then, and nothing else.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Principal]] = {}
        """When each scraper was last let in, by the hash of what it showed."""

    async def authenticate(self, request: Request, scope: Scope) -> Principal | None:
        """Return the caller, None for an anonymous one."""
        authenticator = await scope.get(Authenticator)
        is_scrape = request.scope["path"].rstrip("/") == PATH
        shown = request.headers.get("authorization") if is_scrape else None
        if shown is None:
            return await authenticator.authenticate(request, scope)
        unanswered: tuple[type[Exception], ...] = (
            TimeoutError,
            *(await scope.get(Database)).errors,
        )
        try:
            with anyio.fail_after(TIMEOUT):
                found = await authenticator.authenticate(request, scope)
        except unanswered as error:
            if remembered := self._remembered(hash_of(shown)):
                return remembered
            if isinstance(error, TimeoutError):
                raise DatabaseUnreachable(_SILENT, _REMEDY, may_pass=True) from None
            raise
        self._remember(hash_of(shown), found)
        return found

    def _remember(self, key: str, found: Principal | None) -> None:
        self._known.pop(key, None)
        if found is not None and found.may(VIEW_METRICS):
            while len(self._known) >= MAX_REMEMBERED:
                del self._known[next(iter(self._known))]
            scraper = Principal(found.id, found.name, grants=frozenset({VIEW_METRICS.name}))
            self._known[key] = (anyio.current_time(), scraper)

    def _remembered(self, key: str) -> Principal | None:
        seen_at, found = self._known.get(key, (0.0, None))
        return found if anyio.current_time() - seen_at < REMEMBERED_SECONDS else None
