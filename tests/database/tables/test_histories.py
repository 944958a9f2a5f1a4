"""Revisions that cannot be applied, or fail, are reported with their module."""

from pathlib import Path

import pytest

from database.tables.library import FIRST, Library, library_of
from modhost import new_id
from modhost.checks import StartupError
from modhost.database import Database
from modhost.database.migrations import migrate, pending
from modhost.database.schemas import Migrations

pytestmark = pytest.mark.anyio

HEAD = "revision = {!r}\ndown_revision = {!r}\n\ndef upgrade():\n    pass\n"


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **revisions: str) -> Migrations:
    """Write a package of revisions."""
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"history_{new_id().hex}"
    versions = tmp_path / name / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "__init__.py").touch()
    for each, written in revisions.items():
        (versions / f"{each}.py").write_text(written)
    return Migrations("acme", name, "acme-acme")


async def refusal(url: str, *modules: Migrations) -> list[str]:
    async with Database(url).open() as database:
        for attempt in (pending, migrate):
            with pytest.raises(StartupError) as refused:
                await attempt(database, modules)
    return [str(each) for each in refused.value.findings]


@pytest.mark.parametrize(
    ("revisions", "words"),
    [
        ({}, "there is no revision in"),
        ({"a": HEAD.format("1", None), "b": HEAD.format("2", None)}, "is one of 1, 2"),
        ({"a": HEAD.format("1", None), "b": HEAD.format("2", "0")}, "Revision 0 referenced"),
        ({"a": HEAD.format("1", None), "b": HEAD.format("1", None)}, "present more than once"),
        ({"a": HEAD.format("1", "2"), "b": HEAD.format("2", "1")}, "Cycle is detected"),
        ({"a": "import nothing_there"}, r"a.py:1 raised ModuleNotFoundError: No module"),
        ({"a": "def upgrade(:"}, "SyntaxError"),
        ({"a": "raise SystemExit(3)"}, "a.py:1 raised SystemExit: 3"),
        ({"a": "revision = '1'"}, "no attribute 'down_revision'"),
        (
            {"a": HEAD.format("1", None).replace("def", "async def")},
            "upgrade in a.py is `async def`: it would never run.",
        ),
        (
            {"a": HEAD.format("1", None).replace("pass", "yield")},
            "upgrade in a.py has a `yield`: it would never run.",
        ),
    ],
)
async def test_revisions_that_cannot_be_applied_are_reported_with_their_module(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    empty_sqlite_url: str,
    revisions: dict[str, str],
    words: str,
) -> None:
    (reported,) = await refusal(empty_sqlite_url, package(tmp_path, monkeypatch, **revisions))
    where = "MH509 Migrations cannot be used (module acme, distribution acme-acme): "
    assert reported.startswith(where)
    assert words in reported
    assert reported.count("\n") == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("acme_that_is_missing.migrations", "No module named 'acme_that_is_missing'"),
        ("modhost.clock", "has no attribute '__path__'"),
        ("modhost.identity", "which has no folder `versions`; was it left out of the wheel?"),
    ],
)
async def test_a_package_without_revisions_is_reported_with_its_module(
    empty_sqlite_url: str, wrong: str, words: str
) -> None:
    both = [Migrations("acme", wrong, "acme-acme"), Migrations("other", wrong)]
    reported = await refusal(empty_sqlite_url, *both)
    assert [f"migrations is {wrong!r}" in each and words in each for each in reported] == [
        True,
        True,
    ]


async def test_a_revision_that_raises_is_named_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    library = library_of(tmp_path, monkeypatch, empty_database_url)
    library.add(FIRST)
    library.add(
        'op.drop_table("books", schema=NAME)\n'
        'op.alter_column("authors", "nmae", nullable=True, schema=NAME)'
    )
    async with Database(library.url).open() as database:
        with pytest.raises(StartupError) as refused:
            await migrate(database, [library.migrations])
        assert len(await pending(database, [library.migrations])) == 1
    (found,) = refused.value.findings
    assert (found.rule.code, found.module, found.distribution) == (
        "MH510",
        "library",
        "acme-library-2",
    )
    assert "revision 0002 raised " in found.detail
    assert "nmae" in found.detail
    assert "0002_change.py:1" in found.detail


async def test_a_revision_that_leaves_rows_without_what_they_refer_to_fails(
    library: Library,
) -> None:
    library.add(
        'op.execute(sa.update(sa.table("books", sa.column("author_id"), schema=NAME))'
        ".values(author_id=99))"
    )
    with pytest.raises(StartupError, match="MH510"):
        await library.migrate()
    assert {row[0] for row in await library.rows("books", "author_id")} == {1}


async def test_text_with_a_schema_is_explained_on_sqlite(library: Library) -> None:
    library.add('op.execute(f"UPDATE {NAME}.books SET pages = 5")')
    if library.url.startswith("postgresql"):
        await library.migrate()
        return
    with pytest.raises(StartupError, match="Text is sent as it is, and SQLite has no schemas"):
        await library.migrate()
