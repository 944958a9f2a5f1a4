"""What `modhost new migration` refuses to write, and what it says is left to do."""

from pathlib import Path

import pytest

from modhost import new_id
from modhost.checks import StartupError
from modhost.database.migrations.histories import _history_of
from scaffolding.author import MODELS, Author
from sweeps import ONE_DATABASE


def test_tables_that_are_behind_are_migrated_first(author: Author) -> None:
    assert author.write("First").exit_code == 0
    refused = author.write("Second")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert f"run `modhost migrate --config {author.doctor.config}` first" in refused.stderr


def test_a_new_column_that_rows_would_lack_is_named(author: Author) -> None:
    author.migrated_to(MODELS, "first")
    author.doctor.sql(
        f"INSERT INTO {author.doctor.table(author.name, 'authors')} (id, name) "
        f"VALUES ('{new_id()}', 'Ada')"
    )
    fields = "name: str = Field(max_length=20, unique=True)\n    born: int | None = None\n    "
    filled = 'books: int = Field(default=0, sa_column_kwargs={"server_default": "0"})\n    '
    unfilled = MODELS.replace(
        "name: str = Field(max_length=20, unique=True)", f"{fields}{filled}pages: int = 0"
    )
    author.change(unfilled)
    written = author.write("pages")
    (named,) = [line for line in written.output.splitlines() if "may not be null" in line]
    assert named == (
        "authors.pages may not be null, and the rows that are there get no value: give the column "
        "of the revision a server_default, or `modhost migrate` fails where there are rows."
    )
    with pytest.raises(StartupError, match="MH510"):
        author.doctor.modhost("migrate")
    file = author.package / "migrations" / "versions" / "0002_pages.py"
    column = "'pages', sa.Integer(), "
    assert column in file.read_text()
    file.write_text(file.read_text().replace(column, f"{column}server_default='0', "))
    _history_of.cache_clear()
    author.doctor.migrate()
    assert author.doctor.findings(exits=0) == []


@ONE_DATABASE
def test_an_installed_copy_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    author = Author(tmp_path / "site-packages", monkeypatch, database_url)
    refused = author.write("First")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "`pip install --editable FOLDER`" in refused.stderr
    assert list(author.package.glob("migrations/versions/*first.py")) == []


def test_a_module_without_migrations_is_bad_usage(author: Author) -> None:
    refused = author.doctor.modhost("new", "migration", "nobody", "First")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "'nobody' has no migrations. The modules that have some: " in refused.stderr
