"""Modules of every kind of mistake."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from modhost import Module, ModuleOptions, Permission, ServiceCollection, hookimpl
from modhost.web import Endpoints, MiddlewareStack


class Greeter(Protocol):
    def greet(self) -> str: ...


class Absent(Protocol):
    pass


class LateOptions(ModuleOptions):
    speed: int = 1


class Plain(Module):
    name: ClassVar[str] = "plain"


class Cyclic(Module):
    name: ClassVar[str] = "cyclic"
    requires: ClassVar[tuple[str, ...]] = ("circular",)


class Circular(Module):
    name: ClassVar[str] = "circular"
    requires: ClassVar[tuple[str, ...]] = ("cyclic",)


class Needy(Module):
    name: ClassVar[str] = "needy"
    requires: ClassVar[tuple[str, ...]] = ("nowhere",)


class Late(Module):
    name: ClassVar[str] = "late"
    options: ClassVar[type[BaseModel]] = LateOptions


class UsesAbsent:
    def __init__(self, absent: Absent) -> None:
        self.absent = absent


class LacksService(Module):
    name: ClassVar[str] = "lacks_service"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_singleton(UsesAbsent)


class Forgetful(Module):
    name: ClassVar[str] = "forgetful"

    def configure_services(self, services: ServiceCollection) -> None:
        raise AssertionError


class Curious(Module):
    name: ClassVar[str] = "curious"

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints, database: Any) -> None:
        raise AssertionError


class Misspelt(Module):
    name: ClassVar[str] = "misspelt"

    @hookimpl
    def configure_service(self, services: ServiceCollection) -> None:
        raise AssertionError


class Raising(Module):
    name: ClassVar[str] = "raising"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        msg = "no luck"
        raise RuntimeError(msg)


class Unfinished:
    """A middleware that somebody has not finished: it cannot be called."""

    def __init__(self, app: object) -> None:
        self.app = app


class Slow(Unfinished):
    """A middleware that needs a setting."""

    def __init__(self, app: object, slower_than: float) -> None:
        super().__init__(app)
        self.slower_than = slower_than

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        raise AssertionError


class Wrapping(Module):
    """Adds a middleware with whatever settings."""

    name = "wrapping"

    def __init__(self, kind: type[Unfinished], **settings: object) -> None:
        self._kind, self._given = kind, settings

    @hookimpl
    def configure_middleware(self, middleware: MiddlewareStack) -> None:
        middleware.add(self._kind, **self._given)  # type: ignore[arg-type]


class Open(Module):
    name: ClassVar[str] = "open"
    route_prefix: ClassVar[str] = "/api/open"

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/", nothing)


class Undeclared(Module):
    name: ClassVar[str] = "undeclared"
    route_prefix: ClassVar[str] = "/api/undeclared"

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/", nothing, permission=Permission("Undeclared.See", "See it"))


class First(Module):
    name: ClassVar[str] = "first"
    route_prefix: ClassVar[str] = "/api/same"

    @hookimpl
    def configure_permissions(self) -> Sequence[Permission]:
        return [Permission("Same.Permission", "Do it")]


class Second(First):
    name: ClassVar[str] = "second"


class Third(First):
    name: ClassVar[str] = "third"
    route_prefix: ClassVar[str] = "/api/third"


class Offer:
    pass


class BadOffer(Module):
    name: ClassVar[str] = "bad_offer"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_singleton(Offer)


class NeedsOffer:
    def __init__(self, offer: Offer) -> None:
        self.offer = offer


class UsesOffer(Module):
    name: ClassVar[str] = "uses_offer"
    requires: ClassVar[tuple[str, ...]] = ("bad_offer",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_singleton(NeedsOffer)


class Nameless(Module):
    name: ClassVar[str] = "Not A Name"


async def nothing() -> None:
    """Do nothing."""
