"""A short trial on each database; `make chaos` runs those with all faults, as long as one likes."""

from pathlib import Path

import pytest

from chaos.databases.disk import Disk
from chaos.databases.served import Kind, Served
from chaos.scene import Size
from chaos.trial import Plan, Trial
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio

SMALL = Size(producers=1, workers=2, supervised=0, slots=4)
FAULTS = ("a worker killed", "a worker suspended beyond its lease")


@ONE_DATABASE
# On a machine that is busy with other tests it takes several times as long.
@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_exceeded_while_workers_die_and_come_back(
    tmp_path: Path, database_url: str
) -> None:
    kind: Kind = "sqlite" if database_url.startswith("sqlite") else "postgres"
    served = Served(kind, database_url, Disk(tmp_path, is_own=False))
    plan = Plan(60, seed=1, size=SMALL, faults=FAULTS, rounds=1, window=1.0, patience=0)
    result = await Trial(tmp_path / "trial", served, plan).run()
    assert result.wrong == []
    evidence = result.evidence
    assert {each.name for each in evidence.recoveries} == set(FAULTS)
    assert len(evidence.stored.jobs) > 50
    assert evidence.account.died
    assert evidence.account.named("impaired")
