"""Failed logins make the next ones wait: per account, and per address they come from."""

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from modhost import Clock
from modhost.identity.errors import TooManyFailures

MAX_WAIT: Final = 60.0
"""Seconds; long enough to make guessing hopeless, short enough not to lock the owner out."""

_FORGOTTEN_AFTER: Final = 900.0
_MAX_KEYS: Final = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    latest: float
    blocked_until: float
    is_reported: bool = False


class Throttle:
    """Counts the failures in this process, by keys such as an account's name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def begin(self, allowances: dict[str, int]) -> None:
        """Count an attempt as failed, until `succeeded` takes it back.

        Counting first leaves no gap for many attempts at the same time.

        Args:
            allowances: by key, how many attempts may fail before the next ones wait.

        Raises:
            TooManyFailures: one of the keys has to wait; the attempt is not counted.

        """
        now = self._clock.monotonic()
        blocked = max(allowances, key=lambda key: self._blocked_until(key, now))
        wait = self._blocked_until(blocked, now) - now
        if wait > 0:
            failures = self._failures[blocked]
            is_first, failures.is_reported = not failures.is_reported, True
            raise TooManyFailures(math.ceil(wait), is_first=is_first)
        for key, allowance in allowances.items():
            self._count(key, allowance, now)

    def succeeded(self, *, forget: str, forgive: str) -> None:
        """Take back an attempt: forget all failures of one key, and only the latest of another.

        An address keeps its older failures, or one known password would buy it endless guesses.
        """
        self._failures.pop(forget, None)
        failures = self._failures.get(forgive)
        if failures is not None:
            failures.count -= 1
            failures.blocked_until = 0.0

    def _blocked_until(self, key: str, now: float) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return now
        if now - failures.latest > _FORGOTTEN_AFTER:
            del self._failures[key]
            return now
        return failures.blocked_until

    def _count(self, key: str, allowance: int, now: float) -> None:
        failures = self._failures.setdefault(key, _Failures(0, now, now))
        failures.count += 1
        failures.latest = now
        beyond = failures.count - allowance
        if beyond >= 0:
            failures.is_reported = False
            failures.blocked_until = now + min(2.0 ** min(beyond, 10), MAX_WAIT)
        self._failures.move_to_end(key)
        if len(self._failures) > _MAX_KEYS:
            self._failures.popitem(last=False)


def network_of(address: str) -> str:
    """Return the network that one visitor controls: an IPv4 address, or an IPv6 /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), 64), strict=False))
