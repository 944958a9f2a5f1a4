"""Flow control on PostgreSQL: claims from lanes, limits, and held jobs."""

from collections.abc import Collection, Iterable, Sequence, Set
from datetime import datetime
from typing import Any, Final

from modhost.database import PostgresAccess, from_postgres
from modhost_background_jobs.model import ClaimedJob
from modhost_background_jobs.model.claiming.admission import (
    Candidate,
    Decision,
    Earlier,
    Usage,
    decide,
)
from modhost_background_jobs.model.claiming.lanes import FlowState, Found, LaneClaim, Shares, Swept
from modhost_background_jobs.model.flow import Lane, LimitKey, limits_of
from modhost_background_jobs.storage.postgres.claimed import claimed_job
from modhost_background_jobs.storage.postgres.lanes import limit_statements as limits
from modhost_background_jobs.storage.postgres.lanes import statements

CLAIM_SECONDS: Final = 10.0
HELD_BATCH_SIZE: Final = 500
"""How many jobs are checked together once some of them are held back."""
MAX_ROUNDS: Final = 8
STALE_GRANTS: Final = 4
"""So many grants of a key may be recorded beyond its limit before old ones are deleted."""


class PostgresLaneStore:
    """Implements `LaneStore`, which describes each method."""

    def __init__(self, postgres: PostgresAccess) -> None:
        self._postgres = postgres

    async def read(self, now: datetime) -> FlowState:
        """Read all by one statement, by jumps in indexes."""
        (row,) = await self._postgres.fetch(statements.STATE, now)
        lanes, places, queues, types, resumes_in, opens_in, has_held = row
        return FlowState(
            heads={
                Lane.of(lane): from_postgres(place)
                for lane, place in zip(lanes, places, strict=True)
            },
            paused_queues=frozenset(queues),
            paused_types=frozenset(types),
            resumes_in=resumes_in,
            opens_in=opens_in,
            has_held=has_held,
        )

    async def claim(self, worker: str, shares: Shares, limit: int, now: datetime) -> LaneClaim:
        """Claim by one statement, or by a transaction where there are limits."""
        if not shares.are_checked:
            rows = await self._postgres.fetch(
                statements.CLAIM,
                *_asked(shares),
                now,
                limit,
                worker,
                timeout=CLAIM_SECONDS,
            )
            return LaneClaim(_in_order(rows, shares, now), is_all=len(rows) < limit)
        found: list[ClaimedJob] = []
        keys: set[LimitKey] = set()
        stuck: set[LimitKey] = set()
        batch_size, is_all, is_contended = limit, False, False
        for _ in range(MAX_ROUNDS):
            picked, decision, jobs = await self._claim_within_limits(
                worker, shares.without(found), batch_size, limit - len(found), now
            )
            found += jobs
            keys |= decision.keys
            stuck |= decision.stuck
            is_contended |= decision.is_contended
            is_all = picked < batch_size and not decision.next.keys() - decision.stuck
            is_stuck = batch_size >= HELD_BATCH_SIZE and not (decision.held or jobs)
            if is_all or len(found) >= limit or is_stuck:
                break
            batch_size = max(limit, HELD_BATCH_SIZE)
        # Where others have locked what is next, who comes later would be let go again and again.
        if keys := keys - stuck:
            await self.tend(keys, now)
        # Whoever claims at once what others count would do so all the time.
        is_all |= is_contended and not found
        return LaneClaim(found, is_all, is_contended)

    async def tend(self, keys: Collection[LimitKey], now: datetime) -> int:
        """Let go of held jobs, and note when rates open."""
        freed: int = await self._postgres.fetchval(limits.TEND, *_columns(keys))
        return freed

    async def open_due(self, now: datetime) -> None:
        """Tend the keys in the transaction that takes their opening back."""
        async with self._postgres.acquire() as connection, connection.transaction():
            rows = await connection.fetch(limits.DUE_KEYS)
            if rows:
                await connection.execute(limits.TEND, *_columns(LimitKey(*row) for row in rows))

    async def sweep(self, after: str, limit: int, now: datetime) -> Swept:
        """Find keys by jumps in the index of held jobs, and tend them."""
        rows = await self._postgres.fetch(limits.HELD_KEYS, after, limit)
        held = [row[0] for row in rows]
        freed = await self.tend([LimitKey.of(each) for each in held], now) if held else 0
        return Swept(held[-1] if len(held) == limit else "", freed)

    async def forget_keys(self, after: LimitKey, limit: int, now: datetime) -> LimitKey | None:
        """Lock some keys, so that nobody counts them meanwhile, and delete what is of no use."""
        async with self._postgres.acquire() as connection, connection.transaction():
            rows = await connection.fetch(limits.NEXT_KEYS, *after, limit)
            keys = [LimitKey(*row) for row in rows]
            await connection.execute(limits.FORGET_GRANTS, *_columns(keys))
            await connection.execute(limits.FORGET_KEYS, *_columns(keys))
        return keys[-1] if len(keys) == limit else None

    async def _claim_within_limits(
        self, worker: str, shares: Shares, batch_size: int, limit: int, now: datetime
    ) -> tuple[int, Decision, list[ClaimedJob]]:
        """Check due jobs, claim up to `limit`, and hold back those that have no room."""
        async with self._postgres.acquire(CLAIM_SECONDS) as connection, connection.transaction():
            await connection.execute(statements.KEEP_PLANS)
            is_among_many = len(shares.lanes) > statements.MANY_LANES
            rows = await connection.fetch(
                statements.PICK_AMONG_MANY if is_among_many else statements.PICK,
                *_asked(shares.looking_at(batch_size)),
                now,
                batch_size,
                worker,
                timeout=CLAIM_SECONDS,
            )
            candidates = shares.in_order(
                (Found(row[2], from_postgres(row[3]), row[1], from_postgres(row[4])), _item(row))
                for row in rows
            )
            picked = [each for each in candidates if isinstance(each, Candidate)]
            keys = {key for each in picked for key in each.limits}
            usage, locked = await self._usage(connection, keys)
            decision = decide(candidates, usage, locked, shares.bounds(limit), limit)
            rows = await self._take(connection, decision, worker, now)
        jobs = {row[0]: claimed_job(row[:-1], now) for row in rows}
        return len(picked), decision, [jobs[each.id] for each in decision.granted]

    async def _usage(
        self, connection: Any, keys: Set[LimitKey]
    ) -> tuple[dict[LimitKey, Usage], frozenset[LimitKey]]:
        """Lock keys and return what counts for each, and those that somebody else has locked."""
        if not keys:
            return {}, frozenset()
        rows = await connection.fetch(limits.LOCK_KEYS, *_columns(keys))
        own = {LimitKey(*row) for row in rows}
        if missing := keys - own:
            added = await connection.fetch(limits.ADD_KEYS, *_columns(sorted(missing)))
            own |= {LimitKey(*row) for row in added}
        usage = {
            LimitKey(row[0], row[1]): Usage(*row[2:6])
            for row in await connection.fetch(limits.USAGE, *_columns(own))
        }
        stale = [key for key, each in usage.items() if each.records > each.most + STALE_GRANTS]
        if stale:
            await connection.execute(limits.FORGET_GRANTS, *_columns(stale))
        return usage, frozenset(keys - own)

    async def _take(
        self, connection: Any, decision: Decision, worker: str, now: datetime
    ) -> Sequence[Any]:
        rows: Sequence[Any] = []
        if decision.held:
            held = [id_ for id_, _ in decision.held]
            await connection.execute(limits.HOLD, held, [key.stored for _, key in decision.held])
        if decision.next:
            ids = [id_ for some in decision.next.values() for id_ in some]
            locked = {row[0] for row in await connection.fetch(limits.LET_GO, ids)}
            decision.stuck = {key for key, some in decision.next.items() if locked.issuperset(some)}
        if decision.granted:
            ids = [each.id for each in decision.granted]
            grants = [(*key, each.id) for each in decision.granted for key in each.limits]
            columns = zip(*grants, strict=True) if grants else ((), (), ())
            rows = await connection.fetch(statements.TAKE, ids, worker, now, *columns)
        return rows


def _asked(shares: Shares) -> tuple[list[Any], ...]:
    return (
        [share.name for share in shares.types],
        [share.most for share in shares.types],
        [share.name for share in shares.lanes],
        [share.boost for share in shares.lanes],
        [share.most for share in shares.lanes],
    )


def _item(row: Sequence[Any]) -> Candidate | Earlier:
    """Return what `PICK` found: a job, or one that comes before others."""
    kind, id_, lane, _, _, stored, job_type = row
    if kind == "picked":
        return Candidate(id_, lane or job_type, limits_of(stored))
    if kind == "held":
        return Earlier(id_, (LimitKey.of(stored),), is_held=True)
    return Earlier(id_, limits_of(stored), is_held=False)


def _columns(keys: Iterable[LimitKey]) -> tuple[list[str], list[str]]:
    pairs = list(keys)
    return [key.limit for key in pairs], [key.key for key in pairs]


def _in_order(rows: Sequence[Any], shares: Shares, now: datetime) -> list[ClaimedJob]:
    jobs = [(from_postgres(row[-1]), claimed_job(row[:-1], now)) for row in rows]
    return shares.in_order(
        (Found(job.lane, place, job.lease.job_id, job.execute_at), job) for place, job in jobs
    )
