"""Whose clock is wrong, by heartbeats of others."""

from datetime import timedelta

import pytest

from modhost_background_jobs.model import DatedHeartbeat
from modhost_background_jobs.storage.clocks.peer_clocks import PeerClocks
from moving_clock import MovingClock

DAY = timedelta(days=1)


class Peers:
    """Workers whose clocks are ahead of the right time by so many days each."""

    def __init__(self, clock: MovingClock, *ahead: float) -> None:
        self._clock = clock
        self._ahead = [timedelta(days=days) for days in ahead]
        self._beats = 0
        self.heartbeats: list[DatedHeartbeat] = []

    def beat(self) -> None:
        self._beats += 1
        self.heartbeats = [
            DatedHeartbeat(f"w{number}", self._beats, self._clock.now() + ahead)
            for number, ahead in enumerate(self._ahead)
        ]


def new_judge() -> PeerClocks:
    return PeerClocks(timedelta(seconds=5), patience=12.5, max_gap=7.5)


def judged(clock: MovingClock, peers: Peers, own: float, *, beats: int = 1) -> timedelta | None:
    """How a host whose clock is ahead by `own` days judges it, after so many heartbeats."""
    judge = new_judge()
    peers.beat()
    skew = judge.skew(peers.heartbeats, clock.now() + own * DAY, clock.monotonic())
    for _ in range(beats):
        clock.advance(2.5)
        peers.beat()
        clock.advance(2.5)
        skew = judge.skew(peers.heartbeats, clock.now() + own * DAY, clock.monotonic())
    return skew


@pytest.mark.parametrize(
    ("others", "own", "days"),
    [
        ([], 10, 0),
        ([0], 0, 0),
        ([0], 10, 10),
        ([0], -8, -8),
        # Of two nobody knows which one is right.
        ([10], 0, -10),
        # Of three the majority is.
        ([0, 10], 0, 0),
        ([0, 10], 10, 0),
        ([0, 0], 10, 10),
        ([0, 0, 10], 0, 0),
    ],
)
def test_a_clock_is_wrong_when_most_others_differ_from_it(
    clock: MovingClock, others: list[float], own: float, days: int
) -> None:
    skew = judged(clock, Peers(clock, *others), own)
    assert skew is not None
    assert abs(skew - days * DAY) <= timedelta(seconds=2.5)


def test_before_a_heartbeat_arrives_nothing_is_known(clock: MovingClock) -> None:
    assert judged(clock, Peers(clock, 0), 10, beats=0) is None
    # Its worker died ten days ago, or this clock is ahead by as much.
    assert judged(clock, Peers(clock, -10), 0, beats=0) is None
    assert judged(clock, Peers(clock, 0), 0, beats=0) == timedelta(0)


def test_the_dead_have_no_say(clock: MovingClock) -> None:
    peers = Peers(clock, -10)
    peers.beat()
    judge = new_judge()
    skews = []
    for _ in range(4):
        skews.append(judge.skew(peers.heartbeats, clock.now(), clock.monotonic()))
        clock.advance(5)
    assert skews == [None, None, None, timedelta(0)]


def test_a_host_that_was_suspended_waits_for_the_next_heartbeat(clock: MovingClock) -> None:
    """It took that time for silence of all others, and its own clock for right."""
    peers, judge = Peers(clock, 0, 0), new_judge()
    own = 10 * DAY

    def skew() -> timedelta | None:
        return judge.skew(peers.heartbeats, clock.now() + own, clock.monotonic())

    for _ in range(3):
        peers.beat()
        skew()
        clock.advance(5)
    for suspended in (5, 60, 3600):
        clock.advance(suspended)
        assert skew() is None
        present = judge.present(clock.monotonic())
        assert present is not None
        assert abs(present - clock.now()) <= timedelta(seconds=5)
        clock.advance(5)
        assert skew() is None
        peers.beat()
        clock.advance(1)
        ahead = skew()
        assert ahead is not None
        assert abs(ahead - own) <= timedelta(seconds=5)
        clock.advance(2.5)
    # Those that died meanwhile have no say after a while.
    clock.advance(60)
    judgements = []
    for _ in range(4):
        judgements.append(skew())
        clock.advance(5)
    assert judgements == [None, None, None, timedelta(0)]


def test_a_clock_that_jumps_is_noticed_by_the_next_heartbeat(clock: MovingClock) -> None:
    peers, judge = Peers(clock, 0), new_judge()
    for ahead, expected in ((0, 0), (10, 10), (0, 0), (-8, -8), (0, 0)):
        peers.beat()
        clock.advance(5)
        skew = judge.skew(peers.heartbeats, clock.now() + ahead * DAY, clock.monotonic())
        assert skew is not None
        assert abs(skew - expected * DAY) <= timedelta(seconds=5)


@pytest.mark.parametrize(
    ("others", "own", "goes_by_theirs"),
    [
        ([0, 0], 10, True),
        ([0, 0], -10, True),
        ([0, 0, 0], 10, True),
        ([0, 0, 10], 10, False),
        # Of two nobody knows which one is right, nor of three that all differ.
        ([0], 10, False),
        ([5, -5], 0, False),
        ([0, 0], 0, False),
    ],
)
def test_a_host_goes_by_the_time_of_most_others(
    clock: MovingClock, others: list[float], own: float, goes_by_theirs: bool
) -> None:
    judge, peers = new_judge(), Peers(clock, *others)
    for beat in range(4):
        peers.beat()
        clock.advance(2.5)
        judge.skew(peers.heartbeats, clock.now() + own * DAY, clock.monotonic())
        present = judge.present(clock.monotonic())
        # One heartbeat may be from before the clock of the whole machine was set.
        assert (present is not None) == (goes_by_theirs and beat >= 2)
        if present is not None:
            assert timedelta(0) <= clock.now() - present <= timedelta(seconds=2.5)
