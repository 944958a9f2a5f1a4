"""What a class says in brackets after one of its bases: `class Resize(ModuleJob[Image, Size])`."""

import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ForwardRef, Generic, TypeVar, get_args, get_origin, get_type_hints


def type_arguments(cls: type, base: Any) -> tuple[Any, ...]:
    """Return the arguments of a generic base class, None for each that is open or anything.

    Args:
        cls: a class below it, directly or not.
        base: the generic class.

    Returns:
        The types; a `ForwardRef` for one that is written in quotes and is not known yet.

    """
    return tuple(
        None if each is Any or _parameters(each) else each for each in _arguments(cls, base)
    )


def has_names(argument: Any) -> bool:
    """Return whether names in quotes are left in a type, which are not known yet."""
    return isinstance(argument, str | ForwardRef) or any(map(has_names, get_args(argument)))


def _arguments(cls: type, base: Any) -> tuple[Any, ...]:
    """Return the arguments in terms of the parameters of the class itself."""
    found: tuple[Any, ...] = (Any,) * len(base.__parameters__)
    for each in vars(cls).get("__orig_bases__", cls.__bases__):
        origin = get_origin(each) or each
        if origin is Generic or not issubclass(origin, base):
            continue
        given = tuple(_resolved(argument, cls.__module__) for argument in get_args(each))
        if origin is base:
            here = (*given, *found[len(given) :])
        else:
            # What is left out of the brackets stays open.
            known = dict(zip(getattr(origin, "__parameters__", ()), given, strict=False))
            here = tuple(_filled_in(argument, known) for argument in _arguments(origin, base))
        found = tuple(new if old is Any else old for old, new in zip(found, here, strict=True))
    return found


def _resolved(argument: Any, module: str) -> Any:
    """Return a type with the names in quotes replaced by what the module defines."""
    names = vars(sys.modules[module]) if module in sys.modules else {}
    try:
        holder = SimpleNamespace(__annotations__={"it": argument})
        return get_type_hints(holder, names, include_extras=True)["it"]
    except (NameError, TypeError):
        return argument


def _filled_in(argument: Any, known: Mapping[Any, Any]) -> Any:
    if isinstance(argument, TypeVar):
        return known.get(argument, argument)
    parameters = _parameters(argument)
    if not parameters:
        return argument
    return argument[tuple(known.get(each, each) for each in parameters)]


def _parameters(argument: Any) -> tuple[Any, ...]:
    if isinstance(argument, TypeVar):
        return (argument,)
    return (
        () if isinstance(argument, type | ForwardRef) else getattr(argument, "__parameters__", ())
    )
