"""Subscribers of events: classes and functions, checked and planned once at start."""

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modhost.calls.returned import function_of
from modhost.events import Event
from modhost.services.dependencies import Dependency, dependency


class UnusableSubscriber(Exception):
    """A subscriber that cannot be given the event; `remedy` says what to do."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber that runs in the process of the publisher.

    Attributes:
        event: the class of the events that it gets.
        subscriber: a class with a method `handle`, or a function.
        module: the module that subscribed.
        dependencies: what a function is given besides the event.
        in_thread: whether it is a plain function, which must not run on the event loop.

    """

    event: type[Event]
    subscriber: Any
    module: str
    dependencies: tuple[Dependency, ...]
    in_thread: bool

    @property
    def is_class(self) -> bool:
        """Whether it is a class, of which each event gets an instance."""
        return isinstance(self.subscriber, type)

    @property
    def name(self) -> str:
        """What people know the subscriber by."""
        return named(self.subscriber)


def named(subscriber: Any) -> str:
    """Return the name of a class or a function for messages."""
    is_class = isinstance(subscriber, type)
    name = subscriber if is_class or not callable(subscriber) else function_of(subscriber)
    return str(getattr(name, "__qualname__", name))


def check_event(event: Any) -> None:
    """Raise `UnusableSubscriber` for what is not a class of events."""
    if not (isinstance(event, type) and issubclass(event, Event)):
        detail = f"{named(event)} is not a class of events."
        raise UnusableSubscriber(detail, "Derive it from modhost.events.Event.")


def plan(event: type[Event], subscriber: Any, module: str) -> Subscription:
    """Return the subscription of a class or a function. Raises `UnusableSubscriber`."""
    check_event(event)
    is_class = isinstance(subscriber, type)
    function = getattr(subscriber, "handle", None) if is_class else subscriber
    name = f"{named(subscriber)}.handle" if is_class else named(subscriber)
    if not callable(function):
        remedy = "Subscribe a function, or a class with `async def handle(self, event)`."
        raise UnusableSubscriber(f"{name} is not a function.", remedy)
    first, *others = _parameters(function, name, event, is_class=is_class)
    if not _accepts(first.contract, event):
        detail = f"{name} takes {first.contract!r} first, which {event.__qualname__} is not."
        raise UnusableSubscriber(detail, _first(event))
    if is_class and not all(each.optional for each in others):
        detail = f"{name} takes more than the event."
        raise UnusableSubscriber(detail, "Take services in the constructor.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise UnusableSubscriber(f"{name} has a `yield`: it would never run.", "Remove it.")
    in_thread = not inspect.iscoroutinefunction(function)
    dependencies = () if is_class else tuple(others)
    return Subscription(event, subscriber, module, dependencies, in_thread)


def _parameters(
    function: Callable[..., Any], name: str, event: type[Event], *, is_class: bool
) -> list[Dependency]:
    """Return the parameters, that of the event first. Raises `UnusableSubscriber`."""
    try:
        hints = typing.get_type_hints(function_of(function))
    except NameError as error:
        detail = f"the annotations of {name} cannot be resolved: {error}."
        raise UnusableSubscriber(detail, _first(event)) from error
    found = [
        each
        for each in list(inspect.signature(function).parameters.values())[is_class:]
        if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    unknown = next((each for each in found if each.name not in hints), None)
    if not found or found[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise UnusableSubscriber(f"{name} takes no event.", _first(event))
    if unknown is not None and unknown.default is unknown.empty:
        detail = f"the parameter {unknown.name!r} of {name} has no annotation."
        raise UnusableSubscriber(detail, "Annotate it with the event, or with a service.")
    return [
        dependency(each.name, hints.get(each.name, object), optional=each.default is not each.empty)
        for each in found
    ]


def _first(event: type[Event]) -> str:
    return f"Let its first parameter be `event: {event.__qualname__}`."


def _accepts(annotation: Any, event: type[Event]) -> bool:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_accepts(each, event) for each in typing.get_args(annotation))
    return isinstance(annotation, type) and issubclass(event, annotation)
