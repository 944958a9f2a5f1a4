"""Which seeds are simulated, and how one that fails is reported."""

import os
from collections.abc import Sequence
from pathlib import Path

from simulation.history import History


def seeds(default: Sequence[int]) -> Sequence[int]:
    """Return the seeds that the environment asks for, or the default ones."""
    seed = os.environ.get("MODHOST_SIMULATION_SEED")
    if seed is not None:
        return [int(seed)]
    count = os.environ.get("MODHOST_SIMULATIONS")
    return default if count is None else range(int(count))


def report(folder: Path, seed: int, dialect: str, history: History, found: list[str]) -> str:
    """Describe a failing seed: the violations, how to repeat it, and its history."""
    here = folder.relative_to(Path(__file__).parents[2])
    again = f"MODHOST_SIMULATION_SEED={seed} .venv/bin/pytest -n0 {here} -k {dialect}"
    return "\n".join(
        [f"The seed {seed} fails; repeat it with", again, "", *found, "", history.describe()]
    )
