"""Failed logins make the next ones wait: per account, and per address they come from."""

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from modhost.clock import Clock
from modhost.identity.errors import TooManyFailures

LONGEST_WAIT: Final = 60.0
"""Seconds; long enough to make guessing hopeless, short enough not to lock the owner out."""

_FORGOTTEN_AFTER: Final = 900.0
_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Tally:
    attempts: int
    latest: float
    blocked_until: float
    is_told: bool = False


class Throttle:
    """Counts the failures of this process, by keys such as an account's name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()

    def begin(self, allowances: dict[str, int]) -> None:
        """Count an attempt as failed, until `succeeded` says otherwise.

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
            tally = self._tallies[blocked]
            is_first, tally.is_told = not tally.is_told, True
            raise TooManyFailures(math.ceil(wait), is_first=is_first)
        for key, allowance in allowances.items():
            self._count(key, allowance, now)

    def succeeded(self, *, forget: str, forgive: str) -> None:
        """Take back an attempt: forget one key's failures, and forgive another's latest only.

        An address keeps its older failures, or one known password would buy it endless guesses.
        """
        self._tallies.pop(forget, None)
        tally = self._tallies.get(forgive)
        if tally is not None:
            tally.attempts -= 1
            tally.blocked_until = 0.0

    def _blocked_until(self, key: str, now: float) -> float:
        tally = self._tallies.get(key)
        if tally is None:
            return now
        if now - tally.latest > _FORGOTTEN_AFTER:
            del self._tallies[key]
            return now
        return tally.blocked_until

    def _count(self, key: str, allowance: int, now: float) -> None:
        tally = self._tallies.setdefault(key, _Tally(0, now, now))
        tally.attempts += 1
        tally.latest = now
        beyond = tally.attempts - allowance
        if beyond >= 0:
            tally.is_told = False
            tally.blocked_until = now + min(2.0 ** min(beyond, 10), LONGEST_WAIT)
        self._tallies.move_to_end(key)
        if len(self._tallies) > _REMEMBERED:
            self._tallies.popitem(last=False)


def network_of(address: str) -> str:
    """Return what one visitor can call their own: an IPv4 address, or an IPv6 /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), 64), strict=False))
