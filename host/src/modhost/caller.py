"""On whose behalf code runs: the caller of the request, the job, or the command around it.

Services are often singletons, so the caller is not part of them: it is bound to the task, and to
the tasks and threads that it starts.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from modhost.permissions import Principal

_WHO: Final = ("user", "token", "command")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has something done.

    Args:
        kind: `user`, `token`, `job`, `command`, `anonymous`, `system`, or what precedes the colon
            in the id of a principal that a module recognised.
        id: stable identity, e.g. `user:0199…` or `job:0199…`.
        name: what people call it.
        address: where the request comes from; empty when there is none.
        principal: the caller's rights; None for an anonymous one, and where nothing limits them.

    """

    kind: str
    id: str
    name: str
    address: str = ""
    principal: Principal | None = field(default=None, repr=False)

    @property
    def person(self) -> str | None:
        """Who is behind it, e.g. `user:vera` or `token:ci (0199…)`; None for jobs and the host.

        The name of a token may be given to another one, once it is revoked.
        """
        if self.kind not in _WHO and self.principal is None:
            return None
        told_apart = f" ({self.id.partition(':')[2]})" if self.kind == "token" else ""
        return f"{self.kind}:{self.name}{told_apart}"


SYSTEM: Final = Caller("system", "system", "the host")

_Find: TypeAlias = Callable[[], Awaitable[Caller]]
_finding: ContextVar[_Find | None] = ContextVar("modhost_caller", default=None)


async def current_caller() -> Caller:
    """Return on whose behalf this task runs; `SYSTEM` outside of requests, jobs and commands."""
    find = _finding.get()
    return SYSTEM if find is None else await find()


class _Calling:
    """The block that runs on behalf of a caller: a class, which is quicker than a generator."""

    __slots__ = ("_find", "_token")

    def __init__(self, find: _Find) -> None:
        self._find = find
        self._token: Token[_Find | None]

    def __enter__(self) -> None:
        self._token = _finding.set(self._find)

    def __exit__(self, *_: object) -> None:
        _finding.reset(self._token)


def calling(find: _Find) -> AbstractContextManager[None]:
    """Run the block on behalf of a caller who is looked up when somebody asks."""
    return _Calling(find)


def calling_as(caller: Caller) -> AbstractContextManager[None]:
    """Run the block on behalf of a caller."""

    async def find() -> Caller:
        return caller

    return _Calling(find)


def anonymous(address: str = "") -> Caller:
    """Return a caller who has shown no valid credentials."""
    return Caller("anonymous", "anonymous", "anonymous", address)


def caller_of(principal: Principal, address: str = "") -> Caller:
    """Return the principal as a caller."""
    kind = principal.id.partition(":")[0]
    return Caller(kind, principal.id, principal.name, address, principal)
