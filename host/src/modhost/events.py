"""Events: what modules let each other know, without a call from one to the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession


class Event(BaseModel):
    """Base of events: something that has happened, as data that never change.

    Its class belongs to the contracts of the module that publishes it, which names it in
    `publishes`.
    """

    model_config = ConfigDict(frozen=True)


AnyEvent = TypeVar("AnyEvent", bound=Event)
HandledEvent = TypeVar("HandledEvent", bound=Event, contravariant=True)


class UndeclaredEvent(Exception):
    """An event was published that no module names in its `publishes`."""


class EventHandler(Protocol[HandledEvent]):
    """A class that subscribes; parameters of its constructor are resolved from a scope."""

    async def handle(self, event: HandledEvent, /) -> None:
        """Do what the event calls for.

        Args:
            event: what has happened.

        """


class Events(Protocol):
    """Publishes events; a service of the host."""

    async def publish(self, event: Event, *, session: "AsyncSession | None" = None) -> None:
        """Publish an event to all who subscribed to its class, or to a class that it inherits.

        Subscribers in this process run after the commit of the session, each in a task and a scope
        of its own; nothing that they do comes back to the caller. Jobs that subscribed are enqueued
        in the transaction of the session. When that rolls back, the event reaches nobody.

        Args:
            event: what has happened.
            session: the session that writes what the event is about; without one, subscribers run
                at once.

        Raises:
            UndeclaredEvent: no module of this host names the class in its `publishes`.

        """


@dataclass(frozen=True, slots=True)
class Publication:
    """An event that a module publishes."""

    event: type[Event]
    module: str


@dataclass(frozen=True, slots=True)
class DurableSubscription:
    """A subscriber that gets each event whatever crashes, by `DurableEvents`.

    Attributes:
        event: the class of the events that it gets.
        subscriber: the class that handles them.
        module: the module that subscribed.

    """

    event: type[Event]
    subscriber: type[Any]
    module: str


class DurableEvents(Protocol):
    """Stores events for durable subscribers; a service of the module that offers them."""

    async def store(
        self, event: Event, subscribers: Sequence[type[Any]], session: "AsyncSession | None"
    ) -> None:
        """Store an event for each of these subscribers, all together.

        Args:
            event: what has happened.
            subscribers: the classes of the subscriptions.
            session: the session of the publisher; None for a transaction of its own.

        """
