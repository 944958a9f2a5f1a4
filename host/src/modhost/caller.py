"""The caller on whose behalf code runs: that of the request, the job, or the command.

Services are often singletons, so the caller is bound to the task instead, and to the tasks and
threads that it starts.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from modhost.permissions import Principal

_PERSONAL_KINDS: Final = ("user", "token", "command")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has something done: a person, a token, a job, or the host.

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
    def is_start(self) -> bool:
        """Whether a module has it done while it starts, by its `on_start`."""
        return self.id.startswith(_START)

    @property
    def person(self) -> str | None:
        """Who is behind it, e.g. `user:vera` or `token:ci (0199…)`; None for jobs and the host.

        A token's id is part of it: once the token is revoked, another may take its name.
        """
        if self.kind not in _PERSONAL_KINDS and self.principal is None:
            return None
        unique = f" ({self.id.partition(':')[2]})" if self.kind == "token" else ""
        return f"{self.kind}:{self.name}{unique}"


_START: Final = "start:"
SYSTEM: Final = Caller("system", "system", "the host")

FindCaller: TypeAlias = Callable[[], Awaitable[Caller]]
_current: Final[ContextVar[Caller | FindCaller]] = ContextVar("modhost_caller", default=SYSTEM)


async def current_caller() -> Caller:
    """Return on whose behalf this task runs; `SYSTEM` outside of requests, jobs and commands."""
    caller = _current.get()
    return caller if isinstance(caller, Caller) else await caller()


class ActingFor:
    """A block that runs on behalf of a caller, or of one who is found when somebody asks.

    It is a class because entering a generator takes longer, and each job enters one.
    """

    __slots__ = ("_caller", "_token")

    def __init__(self, caller: Caller | FindCaller) -> None:
        self._caller = caller
        self._token: Token[Caller | FindCaller]

    def __enter__(self) -> None:
        self._token = _current.set(self._caller)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def start_of(module: str) -> Caller:
    """Return a module that starts, as the caller of what its `on_start` calls."""
    return Caller(SYSTEM.kind, f"{_START}{module}", f"the start of {module}")


def anonymous(address: str = "") -> Caller:
    """Return a caller who has shown no valid credentials."""
    return Caller("anonymous", "anonymous", "anonymous", address)


def caller_of(principal: Principal, address: str = "") -> Caller:
    """Return the principal as a caller."""
    kind = principal.id.partition(":")[0]
    return Caller(kind, principal.id, principal.name, address, principal)
