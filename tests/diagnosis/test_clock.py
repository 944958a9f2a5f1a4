"""The host's clock is compared with that of the database."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from diagnosis.support import Doctor
from modhost.checks import Finding, rules
from modhost.configuration import Configuration
from modhost.diagnosis import examine
from modhost.runtime.assembly import build_host


class WrongClock:
    """A clock that is wrong by some seconds, and by more after each reading."""

    def __init__(self, seconds: float, slower: float = 0) -> None:
        self._wrong = timedelta(seconds=seconds)
        self._slower = timedelta(seconds=slower)

    def now(self) -> datetime:
        time = datetime.now(UTC) + self._wrong
        self._wrong += self._slower
        return time

    def monotonic(self) -> float:
        return 0


def found(doctor: Doctor, clock: WrongClock) -> list[Finding]:
    configuration = Configuration({"host": {"database_url": doctor.database_url}})
    host = build_host(configuration, "command", clock=clock)
    reported = anyio.run(examine, host).findings
    return [each for each in reported if each.rule is rules.CLOCK_SKEW]


@pytest.mark.parametrize(
    ("seconds", "words"), [(600, "s ahead of the database's."), (-600, "s behind the database's.")]
)
def test_a_clock_that_is_wrong_is_reported_where_there_is_another(
    doctor: Doctor, seconds: int, words: str
) -> None:
    findings = found(doctor, WrongClock(seconds))
    if doctor.database_url.startswith("sqlite"):
        assert findings == []
        return
    (finding,) = findings
    # A slow round trip is taken off, which shows a smaller difference.
    reported, _, rest = finding.detail.removeprefix("this host's clock is ").partition(" ")
    assert 500 < float(reported) <= 600
    assert rest == words


def test_a_slow_answer_is_not_a_wrong_clock(doctor: Doctor) -> None:
    # As if the answer took ten minutes: the database's time lies in between.
    assert found(doctor, WrongClock(-300, slower=600)) == []


def test_a_clock_that_is_wrong_by_less_than_two_seconds_is_right(doctor: Doctor) -> None:
    assert found(doctor, WrongClock(1.9)) == []
    assert found(doctor, WrongClock(-1.9)) == []
