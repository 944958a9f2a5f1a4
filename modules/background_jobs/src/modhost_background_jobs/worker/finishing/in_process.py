"""Publishing the ends of this worker's attempts to who subscribed in its process."""

import logging
from collections.abc import Collection
from uuid import UUID

from modhost.database import Database
from modhost.events import Events
from modhost.failures import describe
from modhost.services import Subscription
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.storage.end_events import EVENT_OF, read_ends

logger = logging.getLogger(__name__)


class InProcessEnds:
    """Publishes ends that are stored; durable subscribers have got them together with the end."""

    def __init__(
        self,
        events: Events,
        subscriptions: tuple[Subscription, ...],
        database: Database,
        types: JobTypes,
    ) -> None:
        self._events = events
        self._database = database
        self._types = types
        self._states = [
            state
            for state, event in EVENT_OF.items()
            if any(issubclass(event, each.event) for each in subscriptions)
        ]

    @property
    def have_subscribers(self) -> bool:
        """Whether somebody wants to know of some of them."""
        return bool(self._states)

    async def publish(self, ended: Collection[UUID]) -> None:
        """Publish the ends of these jobs to those who subscribed; raise nothing."""
        if not ended:
            return
        silent = self._types.with_silent_ends
        try:
            async with self._database.reading() as session:
                connection = await session.connection()
                found = await read_ends(connection, ended, self._states, silent)
            for event in found:
                await self._events.publish(event)
        except Exception as error:  # noqa: BLE001 - the ends are stored, and others are to follow
            logger.warning(
                "The ends of %d jobs reach no subscriber in this process (%s).",
                len(ended),
                describe(error),
            )
