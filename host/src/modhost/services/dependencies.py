"""Dependencies: what the parameters of constructors, factories and subscribers ask for."""

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Dependency:
    """A parameter that is resolved; `many` stands for all contributions of the contract."""

    name: str
    contract: Any
    many: bool
    optional: bool


class UnusableAnnotation(Exception):
    """A parameter whose annotation names no contract."""


def dependencies_of(factory: Callable[..., Any]) -> tuple[Dependency, ...]:
    """Read a factory's parameters. Raises `UnusableAnnotation`."""
    is_class = isinstance(factory, type)
    target: Any = inspect.getattr_static(factory, "__init__") if is_class else factory
    try:
        hints = typing.get_type_hints(target)
    except NameError as error:
        msg = f"the annotations of {factory.__qualname__} cannot be resolved: {error}."
        raise UnusableAnnotation(msg) from error
    return tuple(
        _dependency(factory, parameter, hints)
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    )


def _dependency(
    factory: Callable[..., Any], parameter: inspect.Parameter, hints: dict[str, Any]
) -> Dependency:
    optional = parameter.default is not parameter.empty
    if parameter.name not in hints:
        if optional:
            return Dependency(parameter.name, object, many=False, optional=True)
        msg = f"parameter {parameter.name!r} of {factory.__qualname__} has no annotation."
        raise UnusableAnnotation(msg)
    return dependency(parameter.name, hints[parameter.name], optional=optional)


def dependency(name: str, annotation: Any, *, optional: bool = False) -> Dependency:
    """Read one annotation: a contract, or `tuple[Contract, ...]` for all contributions of it.

    `Contract | None` asks for the contract; only a default makes that optional.
    """
    contract = _without_none(annotation)
    arguments = typing.get_args(contract)
    many = typing.get_origin(contract) is tuple and len(arguments) == 2 and arguments[1] is ...
    return Dependency(name, arguments[0] if many else contract, many=many, optional=optional)


def _without_none(annotation: Any) -> Any:
    """Return the other member of a union of None and something else; all else as it is."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    members = [each for each in typing.get_args(annotation) if each is not type(None)]
    return members[0] if len(members) == 1 else annotation
