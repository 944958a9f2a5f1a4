"""A short race of processes on each database, whose length is that of `make race` otherwise."""

from itertools import product
from pathlib import Path

import pytest

from processes.racing.race import Plan, Race
from sweeps import swept

pytestmark = pytest.mark.anyio


async def test_no_key_exceeds_its_limit_while_workers_die(
    tmp_path: Path, database_url: str
) -> None:
    result = await Race(tmp_path / "race", database_url, Plan(jobs=250, kills=2)).run()
    assert result.excesses == []
    assert result.faults == []
    assert result.kills > 0
    assert {result.account.limits[key] for key in result.account.most} == {1, 2, 3}


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("database_url", "variant"),
    swept(
        product(["sqlite", "postgresql"], ["check-before", "own-clocks"]),
        always=[("sqlite", "own-clocks"), ("postgresql", "check-before")],
    ),
    indirect=["database_url"],
)
async def test_the_race_finds_a_fault(tmp_path: Path, database_url: str, variant: str) -> None:
    # Who comes first is chance: a race may find nothing, though few do.
    plan = Plan(jobs=600, kills=0, broken=variant)
    for number in range(3):
        result = await Race(tmp_path / f"race-{number}", database_url, plan).run()
        if result.excesses:
            break
    assert result.excesses
