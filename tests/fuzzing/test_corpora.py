"""What `make fuzz` tries first: inputs that broke something once, or nearly did."""

from itertools import product

import pytest

from fuzzing.attacked import attacked
from fuzzing.campaign import corpus_of, explore
from fuzzing.targets.all import TARGETS
from sweeps import swept

STRICT = ("api", "pages", "data")
"""Those whose texts, numbers and times reach the database, where PostgreSQL takes fewer."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("database_url", "is_strict"),
    swept(
        product(("sqlite", "postgresql"), (False, True)),
        always=[("sqlite", False), ("postgresql", True)],
    ),
    indirect=["database_url"],
)
def test_no_input_of_a_corpus_breaks_the_host(database_url: str, is_strict: bool) -> None:
    with attacked(database_url) as host:
        for name in (each for each in TARGETS if (each in STRICT) is is_strict):
            known = corpus_of(name)
            result = explore(TARGETS[name](host), known, seconds=0, seed=1)
            assert result.fault == "", f"{name}: {result.failing}"
            assert result.tried == len(known) > 0
        host.is_well()
