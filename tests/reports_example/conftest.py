from pathlib import Path
from typing import Any

import pytest

from modhost.testing import MovableClock
from reports_example.support import CsvFolder

MAX_UPLOAD_BYTES = 2000


@pytest.fixture
def csv_folder(tmp_path: Path) -> CsvFolder:
    return CsvFolder(tmp_path)


@pytest.fixture
def modhost_config(tmp_path: Path) -> dict[str, Any]:
    options = {"upload_folder": tmp_path / "up", "max_upload_bytes": MAX_UPLOAD_BYTES}
    return {"modules": {"reports_example": options}}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()
