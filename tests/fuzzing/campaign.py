"""Attack a target for a while, with inputs from a seed, and shrink the first that succeeds."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

CORPORA: Final = Path(__file__).parent / "corpora"
BATCH: Final = 500


class Target(Protocol):
    """What is attacked, one input after the other; inputs are JSON."""

    name: str

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        """What to try."""

    def attack(self, given: Any) -> str:
        """Try an input, and return in a word what became of it. Raises `AssertionError`."""


@dataclass
class Result:
    """What became of all inputs of a target."""

    tried: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    failing: Any = None
    fault: str = ""


def corpus_of(name: str, file: Path | None = None) -> list[Any]:
    """Return the inputs of a file, one on each line; of that of a target unless one is given."""
    lines = (file or CORPORA / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line, object_hook=_joined) for line in lines if line.strip()]


def _joined(found: dict[str, Any]) -> Any:
    """Return a long text, which a corpus has in parts: `{"join": ["a", ["b", 9000]]}`."""
    if found.keys() != {"join"}:
        return found
    parts = found["join"]
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


def explore(target: Target, corpus: Sequence[Any], seconds: float, seed: int) -> Result:
    """Try the corpus, then inputs from the seed on, until the time has passed or one fails."""
    result, began = Result(), time.monotonic()
    stop = began + seconds
    attack = _counted(target, result)
    for known in corpus:
        try:
            attack(known)
        except Exception:  # noqa: BLE001 - it is in the result
            return result
    while time.monotonic() < stop and not result.fault:
        _try_batch(target.inputs, attack, seed, stop)
        seed += 1
    result.seconds = time.monotonic() - began
    return result


def _counted(target: Target, result: Result) -> Callable[[Any], None]:
    def attack(tried: Any) -> None:
        # As it would be read from a corpus.
        tried = json.loads(json.dumps(tried))
        result.tried += 1
        try:
            outcome = target.attack(tried)
        except Exception as error:
            result.failing, result.fault = tried, f"{type(error).__name__}: {error}"
            raise
        result.outcomes[outcome] += 1

    return attack


def _try_batch(
    inputs: st.SearchStrategy[Any], attack: Callable[[Any], None], seed: int, stop: float
) -> None:
    has_failed = False

    @hypothesis.seed(seed)
    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
    )
    @given(inputs)
    def attack_each(tried: Any) -> None:
        nonlocal has_failed
        if not has_failed and time.monotonic() > stop:
            return
        try:
            attack(tried)
        except Exception:
            has_failed = True
            raise

    try:
        attack_each()
    except Exception:  # noqa: BLE001 - the last that failed is the smallest, and in the result
        return
