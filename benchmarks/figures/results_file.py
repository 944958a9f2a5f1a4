"""The file of results, so that measurements can be made one after the other."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures.results import Results
from benchmarks.measurements.all import MEASUREMENTS


class OtherMachine(Exception):
    """The file's figures come from another machine, and cannot be compared with new ones."""


def merge(path: Path, about: Mapping[str, str], new: Sequence[Results]) -> list[Results]:
    """Store the new results, and return them with those of other measurements in the file.

    Raises `OtherMachine` when the file was written on another one, or with other versions.
    """
    known = _read(path)
    check(path, about)
    whole = {**known.get("about", {}), **about}
    measured = {each.measurement for each in new}
    old = [
        Results.of_json(each)
        for each in known.get("results", [])
        if each["measurement"] not in measured
    ]
    order = list(MEASUREMENTS)
    results = sorted([*old, *new], key=lambda each: order.index(each.measurement))
    values = {"about": whole, "results": [each.as_json() for each in results]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n")
    return results


def check(path: Path, about: Mapping[str, str]) -> None:
    """Raise `OtherMachine` unless the file's figures are comparable with those of this machine."""
    before = _read(path).get("about", {})
    names = [name for name in before if name in about and before[name] != about[name]]
    if not names:
        return
    msg = (
        f"{path} holds figures that were taken under other circumstances: {', '.join(names)} "
        "differ. Name another file, or remove this one."
    )
    raise OtherMachine(msg)


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return values
