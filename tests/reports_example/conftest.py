from pathlib import Path

import pytest

from reports_example.support import CsvFolder


@pytest.fixture
def csv_folder(tmp_path: Path) -> CsvFolder:
    return CsvFolder(tmp_path)
