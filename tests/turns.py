"""The order in which parallel processes take the files of tests: long ones among quick ones."""

import os
from pathlib import Path
from typing import Final

import pytest

LONG: Final = (
    *("chaos", "deployments", "packaging", "processes", "scaffolding", "simulation"),
    *("benchmarks", "pages/browser", "pages/shop", "pages/gallery"),
)
"""Folders whose tests start processes, or wait: two processors can run more than two of them."""
SHARE: Final = 0.7
"""In how much of the quick files the long ones are spread, so that none begins at the end."""


class Turns:
    """Orders the files of tests, where several processes run them."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests of a file together, and spread the long files."""
        if "PYTEST_XDIST_WORKER" not in os.environ:
            return
        files: dict[Path, list[pytest.Item]] = {}
        for item in items:
            files.setdefault(item.path, []).append(item)
        items[:] = [item for path in spread(list(files)) for item in files[path]]


def spread(files: list[Path]) -> list[Path]:
    """Return files in an order in which the long ones come evenly among the first quick ones."""
    long = [path for path in files if _is_long(path)]
    quick = [path for path in files if not _is_long(path)]
    step = SHARE * len(quick) / max(1, len(long))
    places = [(index * step, path) for index, path in enumerate(long)]
    places += [(float(index), path) for index, path in enumerate(quick)]
    return [path for _, path in sorted(places, key=lambda each: each[0])]


def _is_long(path: Path) -> bool:
    folder = path.relative_to(Path(__file__).parent).as_posix()
    return folder.startswith(tuple(f"{each}/" for each in LONG))
