"""The implementation of `Events`: who gets which event, and when."""

from typing import TYPE_CHECKING, Final, NamedTuple

from modhost.caller import current_caller
from modhost.events import (
    DurableEvents,
    DurableSubscription,
    Event,
    Publication,
    UndeclaredEvent,
)
from modhost.runtime.events.dispatcher import EventDispatcher
from modhost.services import Subscription

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

UNDECLARED: Final = (
    "{} is published, and no module names it in its `publishes`: nobody could have subscribed. "
    "Write it there, in the class of the module that publishes it."
)


class Subscribers(NamedTuple):
    """Those who get the events of one class."""

    in_process: tuple[Subscription, ...]
    durable: tuple[DurableSubscription, ...]


class NoDurableEvents:
    """Stands for the service of `DurableEvents` where no module offers it."""

    async def store(self, *_: object) -> None:
        """Do nothing: a durable subscription without the service stops the start."""


class PublishedEvents:
    """Implements `Events`, which describes each method."""

    def __init__(
        self,
        dispatcher: EventDispatcher,
        publications: tuple[Publication, ...],
        subscriptions: tuple[Subscription, ...],
        durable: tuple[DurableSubscription, ...],
        store: DurableEvents = NoDurableEvents(),  # noqa: B008 - it holds nothing
    ) -> None:
        self._dispatcher = dispatcher
        self._store = store
        self._subscribers = {
            each.event: Subscribers(
                tuple(one for one in subscriptions if issubclass(each.event, one.event)),
                tuple(one for one in durable if issubclass(each.event, one.event)),
            )
            for each in publications
        }

    async def publish(self, event: Event, *, session: "AsyncSession | None" = None) -> None:
        """Store the event for durable subscribers, then have the others run after the commit."""
        subscribers = self._subscribers.get(type(event))
        if subscribers is None:
            raise UndeclaredEvent(UNDECLARED.format(type(event).__qualname__))
        in_process, durable = subscribers
        if durable:
            await self._store.store(event, [each.subscriber for each in durable], session)
        if not in_process:
            return
        caller = await current_caller()
        if session is None:
            self._dispatcher.dispatch(event, in_process, caller)
            return
        # SQLAlchemy is imported where a session is: the processes of jobs start sooner without.
        from modhost.runtime.events.commits import after_commit

        after_commit(
            session.sync_session, lambda: self._dispatcher.dispatch(event, in_process, caller)
        )
