"""What `modhost doctor` says of a host, and how it ends."""

import json
import re
import shlex
from pathlib import Path

import pytest

from diagnosis.support import Doctor
from modhost.checks import StartupError
from modhost.cli.main import main
from modhost.database.url import DatabaseUrl


def test_nothing_is_wrong_with_a_host_that_was_just_set_up(doctor: Doctor) -> None:
    reported = doctor.modhost("doctor")
    assert (reported.exit_code, reported.stdout) == (0, "Nothing is wrong.\n")
    assert doctor.findings(exits=0) == []


def test_a_file_that_the_next_start_migrates_is_not_an_error(
    tmp_path: Path, empty_sqlite_url: str
) -> None:
    doctor = Doctor.of(tmp_path, empty_sqlite_url)
    (found,) = doctor.findings(exits=0)
    assert (found["code"], found["severity"]) == ("MH504", "warning")
    assert doctor.modhost("doctor").stdout.endswith("Nothing is wrong; 1 warning.\n")
    checked = doctor.modhost("migrate", "--check")
    assert checked.exit_code == 1
    stated = f"The database is {re.escape(empty_sqlite_url)}.\n"
    assert re.match(rf"{stated}modhost is at revision none and needs \d+\.\n", checked.stdout)
    assert Doctor.of(tmp_path, empty_sqlite_url, 'silence = ["MH504"]').findings(exits=0) == []


def test_a_server_that_is_not_migrated_is_an_error_that_nothing_silences(
    tmp_path: Path, empty_postgres_url: str
) -> None:
    doctor = Doctor.of(tmp_path, empty_postgres_url, 'silence = ["MH501"]')
    (found,) = doctor.findings(exits=1)
    assert found == {
        "code": "MH501",
        "title": "Database is not migrated",
        "severity": "error",
        "module": None,
        "distribution": None,
        "message": "the tables of modhost, background_jobs, reports_example in "
        f"{DatabaseUrl.parse(empty_postgres_url)} are not at their newest revision.",
        "remedy": f"Run `modhost migrate --config {doctor.config}`.",
    }
    reported = doctor.modhost("doctor").stdout
    assert reported.startswith("error: MH501 Database is not migrated: the tables of modhost, ")
    assert reported.endswith("Found 1 error.\n")


def test_what_a_refused_command_says_to_run_migrates_its_database(
    tmp_path: Path,
    empty_postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "config").mkdir()
    Doctor.of(tmp_path / "config", "sqlite:///here.db").migrate()
    (tmp_path / "of production").mkdir()
    Doctor.of(tmp_path / "of production", empty_postgres_url)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        return ended.value.code, "".join(capsys.readouterr())

    shown = DatabaseUrl.parse(empty_postgres_url)
    listed = ("users", "list", "--config", "of production/host.toml")
    code, refused = run(*listed)
    assert code == 2
    assert f"MH501 Database is not migrated (module modhost): its tables in {shown}" in refused
    (command,) = set(re.findall(r"Run `modhost (.+)`, then start again", refused))
    code, migrated = run(*shlex.split(command))
    assert (code, migrated.splitlines()[0]) == (0, f"The database is {shown}.")
    assert run(*listed)[0] == 0
    other = f"The database is sqlite:///{tmp_path}/here.db."
    assert run("migrate") == (0, f"{other}\nAll tables are at their newest revision.\n")


def test_a_database_of_a_newer_version_is_reported_as_that(doctor: Doctor) -> None:
    versions = doctor.table("modhost", "alembic_version")
    doctor.sql(f"UPDATE {versions} SET version_num = 'from the future'")
    (found,) = doctor.findings(exits=1)
    assert found["code"] == "MH501"
    assert "a newer version has migrated this database" in found["message"]
    with pytest.raises(StartupError, match=r"^MH501 .* a newer version has migrated this database"):
        doctor.modhost("migrate")


def test_a_database_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    doctor = Doctor.of(tmp_path, "postgresql://me:sesame@127.0.0.1:1/db")
    (found,) = doctor.findings(exits=1)
    assert found["code"] == "MH502"
    assert "sesame" not in json.dumps(found)


def test_a_host_that_is_open_to_the_network_is_reported_unless_silenced(
    tmp_path: Path, sqlite_url: str
) -> None:
    options = 'bind = "0.0.0.0:0"\nallowed_hosts = ["*"]'
    doctor = Doctor.of(tmp_path, sqlite_url, options).migrate()
    (found,) = doctor.findings(exits=1)
    assert found["code"] == "MH205"
    silent = Doctor.of(tmp_path, sqlite_url, f'{options}\nsilence = ["MH205"]')
    assert silent.findings(exits=0) == []


def test_a_configuration_that_no_host_starts_with_is_reported_as_json_too(
    tmp_path: Path,
    sqlite_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    doctor = Doctor.of(tmp_path, sqlite_url, "bnd = 1")
    (found,) = doctor.findings(exits=2)
    assert (found["code"], found["remedy"]) == ("MH202", "Did you mean 'bind'?")
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(doctor.config), "doctor"])
    assert ended.value.code == 2
    assert "MH202" in capsys.readouterr().err


def test_a_module_that_is_not_well_is_reported_with_what_it_says(doctor: Doctor) -> None:
    doctor.sql(
        f"INSERT INTO {doctor.table('background_jobs', 'jobs')} "
        "(id, job_type, module_name, state, created_at, execute_at, "
        "attempt, max_attempts, attempts_left, fence, rescues, progress_percentage, on_hold) "
        "VALUES ('01890000-0000-7000-8000-000000000000', "
        ":job_type, 'reports_example', 'Pending', '2026-01-01 00:00:00.000000', "
        "'2026-01-01 00:00:00.000000', 0, 3, 3, 0, 0, 0, false)",
        job_type="reports_example.GenerateReportJob",
    )
    (found,) = doctor.findings(exits=0)
    assert (found["code"], found["severity"]) == ("MH114", "warning")
    assert (found["module"], found["distribution"]) == (
        "background_jobs",
        "modhost-background-jobs",
    )
    assert found["message"] == "Jobs or schedules are due, and no worker is alive."
    doctor.sql(f"DROP TABLE {doctor.table('background_jobs', 'workers')}")
    table, health = doctor.findings(exits=1)
    assert table["code"] == "MH505"
    assert (health["code"], health["severity"]) == ("MH113", "error")
