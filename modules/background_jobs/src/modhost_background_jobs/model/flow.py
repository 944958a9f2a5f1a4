"""What flow control stores with a job: its queue, its order, and the keys that hold it back."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from pydantic import TypeAdapter

from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE

_SEPARATOR: Final = "\x1f"
"""Between the parts of stored names, none of which has a control character."""
UNTIL_FINISHED: Final = "f:"
UNTIL_STARTED: Final = "s:"
HAS_STARTED: Final = "r:"
"""How the key of a job begins that has started, and no longer stands in the way of others."""


class LimitKey(NamedTuple):
    """One key of one limit: jobs that have it count together."""

    limit: str
    key: str

    @property
    def stored(self) -> str:
        """The text by which a job is held back."""
        return f"{self.limit}{_SEPARATOR}{self.key}"

    @classmethod
    def of(cls, stored: str) -> "LimitKey":
        """Return the key of a stored text."""
        limit, _, key = stored.partition(_SEPARATOR)
        return cls(limit, key)


def serves(patterns: Collection[str], queue: str) -> bool:
    """Return whether a worker takes jobs of a queue, by what its option `queues` says.

    Args:
        patterns: names of queues; `*` for all of them, `!name` for one to leave out.
        queue: the name of the queue.

    """
    return f"!{queue}" not in patterns and ("*" in patterns or queue in patterns)


class Lane(NamedTuple):
    """Pending jobs that share one order: those of a queue, a priority and a type.

    Jobs of the default queue and priority without limits and turns have no lane: they are found by
    their type.
    """

    queue: str
    priority: int
    job_type: str
    is_limited: bool = False
    is_fair: bool = False

    @property
    def stored(self) -> str:
        """The text that its jobs are stored with."""
        kind = f"{'L' if self.is_limited else ''}{'F' if self.is_fair else ''}"
        return _SEPARATOR.join((kind, self.queue, str(self.priority), self.job_type))

    @classmethod
    def of(cls, stored: str) -> "Lane":
        """Return the lane of a stored text."""
        kind, queue, priority, job_type = stored.split(_SEPARATOR, 3)
        return cls(queue, int(priority), job_type, "L" in kind, "F" in kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueKey:
    """What a job must not be there twice by.

    Attributes:
        digest: stands for the type and the values that make jobs alike.
        until: until when it holds; see `Unique`.
        replaces: whether a pending job gets the new data, priority and due time.

    """

    digest: str
    until: Literal["finished", "started"] | timedelta
    replaces: bool

    @property
    def stored(self) -> str | None:
        """The text that the index of live jobs keeps apart; None for one that has a period."""
        if isinstance(self.until, timedelta):
            return None
        return (UNTIL_FINISHED if self.until == "finished" else UNTIL_STARTED) + self.digest

    @property
    def text(self) -> str:
        """The text of it in the index of live jobs, or in the table of periods."""
        return self.digest if self.stored is None else self.stored

    @classmethod
    def of(cls, stored: str | None) -> "UniqueKey | None":
        """Return the key of a stored text, for a job that leaves the one that is there."""
        if stored is None:
            return None
        is_until_finished = stored.startswith(UNTIL_FINISHED)
        until: Literal["finished", "started"] = "finished" if is_until_finished else "started"
        return cls(digest=stored[len(UNTIL_FINISHED) :], until=until, replaces=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The flow control of one job.

    Attributes:
        queue: the queue that it waits in.
        priority: -100 to 100, higher first.
        tags: words that people find it by.
        limits: the keys that it counts for, each once.
        unique: what it must not be there twice by; None for nothing.
        fair_key: by which it takes turns with others of its type; None when they do not.
        held_by: the key of a limit that others of its call fill, as it is stored; None for none.

    """

    queue: str = DEFAULT_QUEUE
    priority: int = 0
    tags: tuple[str, ...] = ()
    limits: tuple[LimitKey, ...] = ()
    unique: UniqueKey | None = None
    fair_key: str | None = None
    held_by: str | None = None

    def lane(self, job_type: str) -> str | None:
        """Return the lane of a job of a type, as it is stored; None for none."""
        has_order = self.queue != DEFAULT_QUEUE or self.priority or self.fair_key is not None
        if not has_order and not self.limits:
            return None
        is_fair = self.fair_key is not None
        return Lane(self.queue, self.priority, job_type, bool(self.limits), is_fair).stored

    def to_stored(self) -> str | None:
        """Return it as JSON, as a schedule has it for its runs; None for that of a plain job."""
        if self == PLAIN:
            return None
        return json.dumps(_JSON.dump_python(self, mode="json"), ensure_ascii=False)


PLAIN: Final = Flow()
"""That of a job that uses none."""


_JSON: Final = TypeAdapter(Flow)


def flow_of(stored: str | None) -> Flow:
    """Return the flow control that a schedule stores for its runs."""
    return _JSON.validate_json(stored) if stored else PLAIN


def words_to_stored(words: tuple[str, ...]) -> str | None:
    """Return tags as JSON; None for none."""
    return json.dumps(words, ensure_ascii=False) if words else None


def words_of(stored: str | None) -> tuple[str, ...]:
    """Return the tags of a stored text."""
    return tuple(json.loads(stored)) if stored else ()


def limits_to_stored(limits: tuple[LimitKey, ...]) -> str | None:
    """Return keys of limits as JSON; None for none."""
    return json.dumps(limits, ensure_ascii=False) if limits else None


@lru_cache(maxsize=4096)
def limits_of(stored: str | None) -> tuple[LimitKey, ...]:
    """Return the keys of a stored text."""
    return tuple(LimitKey(*pair) for pair in json.loads(stored)) if stored else ()
