"""Start-up checks of those who subscribed to events."""

from collections.abc import Iterator

from modhost.checks import Finding, rules
from modhost.events import DurableEvents, DurableSubscription, Event, Publication
from modhost.services import ServiceRegistry, Subscription, dependency, missing, name_of
from modhost.services.subscriptions import named


def check_events(registry: ServiceRegistry) -> Iterator[Finding]:
    """Yield what is wrong with subscribers: events that nobody publishes, services they lack."""
    published = [each.event for each in registry.contributions.get(Publication, ())]
    for each in registry.contributions.get(Subscription, ()):
        yield from _unpublished(each.event, each.name, each.module, published)
        for needed in each.dependencies:
            yield from missing(registry, needed, f"The subscriber {each.name}", each.module)
    for each in registry.contributions.get(DurableSubscription, ()):
        name = named(each.subscriber)
        yield from _unpublished(each.event, name, each.module, published)
        needed = dependency("store", DurableEvents)
        yield from missing(registry, needed, f"The durable subscriber {name}", each.module)


def _unpublished(
    event: type[Event], subscriber: str, module: str, published: list[type[Event]]
) -> Iterator[Finding]:
    if not any(issubclass(each, event) for each in published):
        detail = f"{subscriber} subscribed to {name_of(event)}, which no module publishes."
        remedy = "Install and enable the module that does, or name the event in its `publishes`."
        yield Finding(rules.UNPUBLISHED_EVENT, detail, remedy, module)
