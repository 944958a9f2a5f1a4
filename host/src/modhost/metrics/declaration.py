"""The declaration of a metric: its name, its kind, its labels and what it means."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

MAX_SERIES: Final = 100
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_KINDS: Final = ("counter", "gauge", "histogram")
_SUFFIXES: Final = ("_total", "_bucket", "_sum", "_count", "_created", "_info")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of a module, which names it in `metrics` and adds samples in `collect_metrics`.

    Args:
        name: as it is exposed, with the name of the module and `_` in front; that of a counter ends
            in `_total`, and one that has a unit says which, as in `_seconds` or `_bytes`.
        kind: `counter` only grows while the process lives, `gauge` goes up and down, `histogram`
            counts values by how large they are.
        help: what it counts or measures, in a sentence.
        labels: the names of its labels.
        max_series: how many sets of values the labels may have in a process; the samples of any
            more are merged under the value `(other)`.
        merge: how samples are merged: `sum`, or `max` for a gauge such as an age.

    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    max_series: int = MAX_SERIES
    merge: Literal["sum", "max"] = "sum"

    @property
    def exposed(self) -> list[str]:
        """The names of its series: a histogram has three."""
        if self.kind == "histogram":
            return [f"{self.name}_{part}" for part in ("bucket", "sum", "count")]
        return [self.name]

    def problems(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the declaration, each with the remedy.

        Args:
            prefix: what the name has to begin with.

        """
        if not self.name.startswith(f"{prefix}_"):
            yield f"its name does not begin with {prefix}_.", f"Call it {prefix}_{self.name}."
        if not _NAME.fullmatch(self.name):
            yield "its name is malformed.", "Write lower-case letters, digits and `_`."
        if self.kind not in _KINDS:
            yield f"its kind is {self.kind!r}.", f"Write one of {', '.join(_KINDS)}."
        elif self.kind == "counter" and not self.name.endswith("_total"):
            yield "it is a counter.", f"Call it {self.name}_total."
        elif self.kind != "counter" and self.name.endswith(_SUFFIXES):
            end = self.name.rpartition("_")[2]
            yield f"its name ends in _{end}, which is for another kind.", "Rename it."
        for label in self.labels:
            if not _NAME.fullmatch(label) or label == "le":
                yield f"its label {label!r} is malformed.", "Write lower-case letters, and not le."
        if self.max_series < 1:
            yield f"max_series is {self.max_series}.", "Write 1 or more."
