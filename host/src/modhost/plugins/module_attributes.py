"""What the attributes of a module's class may be, checked before anything reads them."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from modhost.events import Event
from modhost.metrics import Metric
from modhost.module import Module
from modhost.settings import ModuleSettings

_SIMILAR: Final = 0.8
_TEXT: Final = "Write a text, in quotes."
# What other hosts of plugins call them.
_SYNONYMS: Final = {
    **dict.fromkeys(("dependencies", "depends", "depends_on", "requirements"), "requires"),
    **dict.fromkeys(("url_prefix", "api_prefix"), "route_prefix"),
    **dict.fromkeys(("events", "emits", "published_events"), "publishes"),
    **dict.fromkeys(("config", "options_model"), "options"),
}


class Problem(NamedTuple):
    """What is wrong with an attribute, and the remedy."""

    attribute: str
    detail: str
    remedy: str


def unusable_attributes(module: Module) -> Iterator[Problem]:
    """Yield each attribute of a module that has a value of another type than it must have."""
    for name, (is_usable, remedy) in _CHECKS.items():
        value = getattr(module, name)
        if not is_usable(value):
            yield Problem(name, f"the attribute {name} is {value!r}.", remedy)


def misspelt_attributes(module: Module) -> Iterator[Problem]:
    """Yield each attribute that nothing reads, and whose name is nearly that of one."""
    classes = type(module).__mro__
    for owner in classes[: classes.index(Module)]:
        for name, value in vars(owner).items():
            is_own = name.startswith("_") or hasattr(Module, name) or name[0].isupper()
            if is_own or inspect.isroutine(value) or isinstance(value, property):
                continue
            similar = get_close_matches(name, _CHECKS, 1, _SIMILAR)
            if meant := _SYNONYMS.get(name) or next(iter(similar), None):
                detail = f"it sets {name}, which nothing reads."
                yield Problem(name, detail, f"Did you mean {meant!r}?")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_names(value: object) -> bool:
    return isinstance(value, tuple | list | set | frozenset) and all(map(_is_text, value))


def _are_events(value: object) -> bool:
    return isinstance(value, tuple | list | set | frozenset) and all(
        isinstance(each, type) and issubclass(each, Event) for each in value
    )


def _are_metrics(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(each, Metric) for each in value)


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


_CHECKS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "name": (_is_text, _TEXT),
    "version": (_is_text, 'Write a text, such as "1.0.0".'),
    "route_prefix": (_is_text, 'Write a text, such as "/api/reports", or leave it out.'),
    "view_prefix": (_is_text, 'Write a text, such as "/reports", or leave it out.'),
    "requires": (_are_names, 'Write a tuple of names; one alone needs a comma: ("name",).'),
    "options": (_is_model, "Write a subclass of ModuleOptions, the class itself."),
    "settings": (
        lambda value: (
            value is None or (isinstance(value, type) and issubclass(value, ModuleSettings))
        ),
        "Write a subclass of ModuleSettings, the class itself.",
    ),
    "unconfigured": (
        lambda value: isinstance(value, Mapping) and all(map(_is_text, value)),
        'Write a table of options, such as {"key": "value"}.',
    ),
    "migrations": (_is_text, 'Write the name of the package, such as "reports.migrations".'),
    "publishes": (
        _are_events,
        "Write a tuple of subclasses of modhost.events.Event; one alone needs a comma.",
    ),
    "metrics": (
        _are_metrics,
        "Write a tuple of modhost.metrics.Metric; one alone needs a comma.",
    ),
}
