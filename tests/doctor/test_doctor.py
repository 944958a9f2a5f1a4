"""What `modhost doctor` says of a host, and how it ends."""

import pytest

from doctor.support import Doctor
from modhost.checks import StartupError


def test_a_database_of_a_newer_version_is_told_as_that(doctor: Doctor) -> None:
    doctor.sql("UPDATE modhost.alembic_version SET version_num = 'from the future'")
    told = doctor.modhost("doctor")
    assert told.exit_code == 1
    assert "MH501 " in told.stdout
    assert "a newer version has migrated this database" in told.stdout
    with pytest.raises(StartupError, match=r"^MH501 .* a newer version has migrated this database"):
        doctor.modhost("migrate")
