"""Failures make the next attempts wait."""

from datetime import timedelta

import pytest

from modhost.identity.access.throttle import Throttle, network_of
from modhost.identity.errors import TooManyFailures
from moving_clock import MovingClock


def fail(throttle: Throttle, times: int, allowance: int = 5) -> None:
    for _ in range(times):
        throttle.begin({"account vera": allowance})


def wait_of(throttle: Throttle) -> int:
    with pytest.raises(TooManyFailures) as caught:
        fail(throttle, 1)
    return caught.value.retry_after


def test_the_first_failures_are_free_and_the_next_try_waits(clock: MovingClock) -> None:
    throttle = Throttle(clock)
    fail(throttle, 5)
    assert wait_of(throttle) == 1


def test_the_wait_doubles_up_to_a_minute(clock: MovingClock) -> None:
    throttle = Throttle(clock)
    fail(throttle, 5)
    waits = []
    for _ in range(9):
        waits.append(wait_of(throttle))
        clock.advance(timedelta(seconds=waits[-1]))
        fail(throttle, 1)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_failures_are_forgotten_after_a_quarter_of_an_hour(clock: MovingClock) -> None:
    throttle = Throttle(clock)
    fail(throttle, 5)
    clock.advance(timedelta(minutes=15, seconds=1))
    fail(throttle, 5)
    assert wait_of(throttle) == 1


def test_a_success_forgets_the_account_but_only_its_own_try_of_the_address(
    clock: MovingClock,
) -> None:
    throttle = Throttle(clock)
    for name in ("a", "b", "c"):
        throttle.begin({f"account {name}": 5, "address": 3})
        throttle.succeeded(forget=f"account {name}", forgive="address")
    for name in ("d", "e", "f"):
        throttle.begin({f"account {name}": 5, "address": 3})
    with pytest.raises(TooManyFailures):
        throttle.begin({"account g": 5, "address": 3})


def test_a_refused_try_is_not_counted(clock: MovingClock) -> None:
    throttle = Throttle(clock)
    fail(throttle, 5)
    assert {wait_of(throttle) for _ in range(50)} == {1}


def test_memory_is_bounded_however_many_accounts_are_tried(clock: MovingClock) -> None:
    throttle = Throttle(clock)
    for number in range(10_050):
        throttle.begin({f"account {number}": 1})
    throttle.begin({"account 0": 1})
    with pytest.raises(TooManyFailures):
        throttle.begin({"account 10049": 1})


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_visitor_is_what_they_can_call_their_own(address: str, network: str) -> None:
    assert network_of(address) == network
