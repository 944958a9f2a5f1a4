"""What was counted of the finished jobs, as the roll-ups that pages read."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from benchmarks.demo.past.history import Ended
from benchmarks.demo.shop import FINISHED, LENGTH, SHARES, VERSIONS, Story, tide, type_of
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model.statistics import Histogram, MinuteCounts, TypeCounts, TypeKey
from modhost_background_jobs.storage.statistics.minutes import HALF_HOUR, KEPT, MINUTES_FOR
from modhost_background_jobs.storage.statistics.rows import (
    HOUR,
    MERGED_AFTER,
    MINUTE,
    MINUTES_KEPT,
    OF_ALL,
    type_row,
)

DRAWN: Final = 6
"""So many durations of an hour are drawn, and stand for all of it."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ByWorker: TypeAlias = dict[str, dict[datetime, MinuteCounts]]


class RollUps:
    """Counts jobs as workers do, and merges what is past as they do."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.altogether: _ByWorker = defaultdict(lambda: defaultdict(MinuteCounts))
        """What finished of all types, by worker, and by minute or half hour."""
        self._of_types: dict[tuple[str, timedelta, datetime, TypeKey], MinuteCounts] = defaultdict(
            MinuteCounts
        )

    def count(self, ended: Iterable[Ended]) -> None:
        """Count the ends of jobs."""
        for each in ended:
            age = self._story.now - each.at
            # The last minutes are not merged yet.
            worker = each.worker if age < MERGED_AFTER else OF_ALL
            key = TypeKey(each.job_type, each.queue, self._story.version_at(each.at))
            widths = [width for width in (MINUTE, HOUR) if width is HOUR or age < MINUTES_KEPT]
            spans = [
                self._of_types[worker, width, _start(each.at, width), key]
                for width in (widths if worker == OF_ALL else [MINUTE])
            ]
            if age < KEPT:
                width = MINUTE if age < MINUTES_FOR else HALF_HOUR
                spans.append(self.altogether[worker][_start(each.at, width)])
            for counts in spans:
                counts.count(each.state, [each.waited], [each.ran])

    def of_types(self, scale: float, days: int) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of all types, with some of days whose jobs retention has deleted."""
        for (worker, width, start, key), counts in self._of_types.items():
            yield type_row(worker, width, TypeCounts(start, key, counts))
        first = _start(self._story.start, HOUR)
        for hours in range(1, 24 * days):
            start = first - hours * HOUR
            for each in self._earlier(start, scale):
                yield type_row(OF_ALL, HOUR, each)

    def _earlier(self, start: datetime, scale: float) -> Iterator[TypeCounts]:
        chance = self._story.chance
        an_hour = FINISHED * scale / (LENGTH / HOUR) / sum(each.weight for each in SHARES)
        for each in SHARES:
            expected = 1.7 * an_hour * each.weight * tide(start) * chance.uniform(0.8, 1.2)
            if not (number := int(expected + chance.random())):
                continue
            drawn = MinuteCounts()
            for _ in range(DRAWN):
                waited, ran = self._story.seconds(each.job, start)
                drawn.count(JobState.COMPLETED, [waited], [ran])
            counts = MinuteCounts(
                number,
                int(number * 0.01 + chance.random() / 2),
                0,
                _times(drawn.waits, number),
                _times(drawn.runs, number),
            )
            yield TypeCounts(start, TypeKey(type_of(each.job), each.job.queue, VERSIONS[0]), counts)


def _times(drawn: Histogram, number: int) -> Histogram:
    return Histogram({step: -(-count * number // DRAWN) for step, count in drawn.counts.items()})


def _start(moment: datetime, width: timedelta) -> datetime:
    return moment - (moment - _EPOCH) % width
