"""The last use of tokens and sessions: noted in memory, written apart from the requests."""

import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import anyio
from anyio.abc import TaskStatus
from sqlmodel import col, or_, update

from modhost import Clock, HostedService
from modhost.database import Database
from modhost.failures import failures
from modhost.identity.access.credentials import SESSION_IDLE_LIFETIME
from modhost.identity.tables import BrowserSession, Token

_log = logging.getLogger(__name__)

RESOLUTION: Final = timedelta(minutes=1)
"""How much later than the written use another must be, to be written as well."""

_WRITE: Final = "The write of the last use of tokens and sessions"
_WRITE_DELAY: Final = 2.0
_SHUTDOWN_TIMEOUT: Final = 2.0


class Usage(HostedService):
    """Writes the last use of tokens and sessions; a write that fails harms no request."""

    name = "modhost.usage"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._tokens: dict[UUID, datetime] = {}
        self._sessions: dict[UUID, datetime] = {}
        self._noted = anyio.Event()

    def note_token(self, token_id: UUID, written: datetime | None) -> None:
        """Note that a token is used now; `written` is the last use in the database."""
        self._note(self._tokens, token_id, written)

    def note_session(self, session_id: UUID, written: datetime) -> None:
        """Note that a session is used now, which extends it."""
        self._note(self._sessions, session_id, written)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Write what is noted, shortly after it is noted, until cancelled."""
        task_status.started()
        try:
            while True:
                await self._noted.wait()
                await anyio.sleep(_WRITE_DELAY)
                await self.flush()
        finally:
            with anyio.move_on_after(_SHUTDOWN_TIMEOUT, shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Write what is noted. A failure is logged: the next use is noted again."""
        tokens, self._tokens = self._tokens, {}
        sessions, self._sessions = self._sessions, {}
        self._noted = anyio.Event()
        if not tokens and not sessions:
            return
        last_used, last_seen = col(Token.last_used_at), col(BrowserSession.last_seen_at)
        try:
            async with self._database.session() as session:
                for key, at in sorted(tokens.items()):
                    used = update(Token).where(col(Token.id) == key).values(last_used_at=at)
                    await session.exec(used.where(or_(last_used.is_(None), last_used < at)))
                for key, at in sorted(sessions.items()):
                    expiry = at + SESSION_IDLE_LIFETIME
                    seen = update(BrowserSession).where(col(BrowserSession.id) == key)
                    later = seen.where(last_seen < at)
                    await session.exec(later.values(last_seen_at=at, expires_at=expiry))
            failures.passed(_WRITE)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged
            failures.failed(_log, _WRITE, error)

    def _note(self, noted: dict[UUID, datetime], key: UUID, written: datetime | None) -> None:
        now = self._clock.now()
        if key not in noted and (written is None or now - written >= RESOLUTION):
            noted[key] = now
            self._noted.set()
