"""Judge this host's clock by heartbeats of others, where the database has no clock of its own."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median_low
from typing import NamedTuple

from modhost_background_jobs.model import DatedHeartbeat

AGREES = timedelta(0)


class _Peer(NamedTuple):
    """A worker as it was last observed; `skew` is None as long as it may be dead for long."""

    beats: int
    changed_at: float
    skew: timedelta | None


class PeerClocks:
    """Compares clocks by heartbeats that arrive from one observation to the next.

    Such a heartbeat was sent in between. What was sent before the first observation says nothing
    when it is old: its worker may be dead.

    Args:
        max_skew: how far clocks may differ.
        patience: after how many seconds without a heartbeat a worker has no say.

    """

    def __init__(self, max_skew: timedelta, patience: float) -> None:
        self._max_skew = max_skew
        self._patience = patience
        self._peers: dict[str, _Peer] = {}
        self._observed_at = 0.0

    def skew(
        self, heartbeats: Iterable[DatedHeartbeat], now: datetime, monotonic: float
    ) -> timedelta | None:
        """Return how far this clock is ahead of most others; None while that is unknown."""
        began = now - timedelta(seconds=monotonic - self._observed_at)
        self._observed_at = monotonic
        peers = {}
        for worker, beats, at in heartbeats:
            before = self._peers.get(worker)
            if before is None:
                is_recent = abs(now - at) <= self._max_skew + timedelta(seconds=self._patience)
                peers[worker] = _Peer(beats, monotonic, AGREES if is_recent else None)
            elif before.beats == beats:
                peers[worker] = before
            else:
                peers[worker] = _Peer(beats, monotonic, _outside(at, began, now))
        self._peers = peers
        return self._judge(
            [peer.skew for peer in peers.values() if monotonic - peer.changed_at <= self._patience]
        )

    def _judge(self, skews: list[timedelta | None]) -> timedelta | None:
        if None in skews:
            return None
        differing = [each for each in skews if each is not None and abs(each) > self._max_skew]
        # Of two hosts nobody knows which one is right.
        return median_low(differing) if 2 * len(differing) > len(skews) else AGREES


def _outside(at: datetime, began: datetime, now: datetime) -> timedelta:
    """Return how far a clock that spans these times is ahead of one that was asked in between."""
    if at > now:
        return now - at
    return max(AGREES, began - at)
