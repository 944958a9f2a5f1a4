"""Judge this host's clock by heartbeats of others, where the database has no clock of its own."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median_low
from typing import Final, NamedTuple

from modhost_background_jobs.model import DatedHeartbeat

AGREES = timedelta(0)


SURE_BEATS: Final = 2
"""How many heartbeats must differ: one may be from before the clock of this machine was set."""


class _Peer(NamedTuple):
    """A worker as it was last observed.

    `skew` is None as long as it may be dead for long, or this host has just been suspended;
    `silence` is for how many seconds it was observed without a new heartbeat; `differing` is how
    many heartbeats in a row have differed.
    """

    beats: int
    at: datetime
    changed_at: float
    skew: timedelta | None
    silence: float = 0.0
    differing: int = 0


class PeerClocks:
    """Compares clocks by heartbeats that arrive from one observation to the next.

    Such a heartbeat was sent in between. What was sent before the first observation says nothing
    when it is old: its worker may be dead. Time in which nothing was observed (a suspended machine)
    does not count as silence of the others, who may have been suspended as well.

    Args:
        max_skew: how far clocks may differ.
        patience: after how many seconds without a heartbeat a worker has no say.
        max_gap: how many seconds may lie between two observations of a host that runs.

    """

    def __init__(self, max_skew: timedelta, patience: float, max_gap: float) -> None:
        self._max_skew = max_skew
        self._patience = patience
        self._max_gap = max_gap
        self._agreeing = max_skew + timedelta(seconds=patience)
        self._peers: dict[str, _Peer] = {}
        self._observed_at = 0.0

    def skew(
        self, heartbeats: Iterable[DatedHeartbeat], now: datetime, monotonic: float
    ) -> timedelta | None:
        """Return how far this clock is ahead of most others; None while that is unknown."""
        gap = monotonic - self._observed_at
        began = now - timedelta(seconds=gap)
        self._observed_at = monotonic
        peers = {}
        for worker, beats, at in heartbeats:
            before = self._peers.get(worker)
            if before is None:
                is_recent = abs(now - at) <= self._max_skew + timedelta(seconds=self._patience)
                peers[worker] = _Peer(beats, at, monotonic, AGREES if is_recent else None)
            elif before.beats == beats:
                peers[worker] = (
                    before._replace(silence=before.silence + gap)
                    if gap <= self._max_gap
                    else before._replace(skew=None)
                )
            else:
                skew = _outside(at, began, now)
                differing = before.differing + 1 if abs(skew) > self._max_skew else 0
                peers[worker] = _Peer(beats, at, monotonic, skew, differing=differing)
        self._peers = peers
        return self._judge([peer.skew for peer in self._heard()])

    def present(self, monotonic: float) -> datetime | None:
        """Return the time by which most hosts go when this one is surely off, else None."""
        heard = self._heard()
        differing = [each for each in heard if each.differing >= SURE_BEATS]
        # Itself included, and among those that agree with each other.
        times = sorted(_at(each, monotonic) for each in differing)
        middle = times[len(times) // 2] if times else None
        alike = [each for each in times if middle and abs(each - middle) <= self._agreeing]
        return max(alike) if 2 * len(alike) > len(heard) + 1 else None

    def _heard(self) -> list[_Peer]:
        return [peer for peer in self._peers.values() if peer.silence <= self._patience]

    def _judge(self, skews: list[timedelta | None]) -> timedelta | None:
        if None in skews:
            return None
        differing = [each for each in skews if each is not None and abs(each) > self._max_skew]
        # Of two hosts nobody knows which one is right.
        return median_low(differing) if 2 * len(differing) > len(skews) else AGREES


def _at(peer: _Peer, monotonic: float) -> datetime:
    return peer.at + timedelta(seconds=monotonic - peer.changed_at)


def _outside(at: datetime, began: datetime, now: datetime) -> timedelta:
    """Return how far a clock that spans these times is ahead of one that was asked in between."""
    if at > now:
        return now - at
    return max(AGREES, began - at)
