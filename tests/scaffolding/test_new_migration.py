"""`modhost new migration`: what it writes makes the tables what the models are."""

from pathlib import Path

import pytest

from diagnosis.support import install
from scaffolding.author import MODELS, Author
from sweeps import ONE_DATABASE

LATER = (
    MODELS.replace("    author: Author = Relationship()\n", "")
    .replace("name: str = Field(max_length=20, unique=True)", "name: str = Field(index=True)")
    .replace("label: str = Field(max_length=20)", "label: str | None = Field(max_length=50)")
    .replace(
        "MORE",
        '    editor_id: UUID | None = Field(foreign_key="NAME.authors.id", sa_type=Identifier)\n'
        '    user_id: UUID | None = Field(foreign_key="modhost.users.id", sa_type=Identifier)\n',
    )
)


@ONE_DATABASE
def test_a_module_is_written_changed_and_migrated(author: Author) -> None:
    written = author.write("Orders of authors")
    assert written.exit_code == 0, written.output
    first = author.revision("0001_orders_of_authors.py")
    assert "from modhost.database import Identifier\n" in first
    assert "down_revision = None" in first
    author.doctor.migrate()
    assert author.doctor.findings(exits=0) == []

    author.change(LATER)
    written = author.write("longer labels!")
    assert written.exit_code == 0, written.output
    second = author.revision("0002_longer_labels.py")
    assert second.startswith('"""Longer labels!"""\n')
    assert 'revision = "0002"\ndown_revision = "0001"\n' in second
    assert "op.alter_column('order', 'label',\n" in second
    assert "type_=sa.String(50)" in second
    author.doctor.migrate()
    assert author.doctor.findings(exits=0) == []

    written = author.write("Nothing")
    assert "It is empty, since the tables are as the models" in written.output, author.revision(
        "0003_nothing.py"
    )
    assert author.revision("0003_nothing.py").endswith("def upgrade() -> None:\n    pass\n")


def test_types_are_changed_as_the_models_say(author: Author) -> None:
    first = MODELS.replace("from uuid", "from datetime import datetime\nfrom uuid", 1).replace(
        "MORE",
        """
    kind: Kind
    token: UUID
    size: str = Field(sa_type=SIZE)
    price: Decimal = Field(max_digits=8, decimal_places=2)
    sold_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    data: dict[str, str] = Field(sa_type=sa.JSON().with_variant(JSONB, "postgresql"))
MORE""",
    )
    first = f"""
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB


SIZE = sa.Enum("big", name="size", native_enum=False, create_constraint=True)

class Kind(StrEnum):
    NOVEL = "novel"
{first}"""
    author.migrated_to(first, "first")
    second = author.migrated_to(
        first.replace('NOVEL = "novel"', 'NOVEL = "novel"\n    SHORT_STORY = "short story"')
        .replace('Enum("big"', 'Enum("big", "odd"')
        .replace("max_digits=8", "max_digits=9")
        .replace("sold_at: datetime", "sold_at: datetime | None"),
        "second",
    )
    assert "'SHORT_STORY'" in second
    assert "'odd'" in second
    assert "sa.Numeric(precision=9, scale=2)" in second
    written = author.write("Nothing")
    assert "It is empty" in written.output, author.revision("0003_nothing.py")


@ONE_DATABASE
def test_tables_of_modules_whose_names_begin_alike_stay_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, author: Author
) -> None:
    other = f"{author.name}_order"
    source = MODELS.replace("MORE", "").replace("NAME", other)
    install(
        tmp_path / "other",
        monkeypatch,
        other,
        source.replace('"authors"', '"lines"').replace(".authors", ".lines"),
    )
    for name in (other, author.name):
        written = author.doctor.modhost("new", "migration", name, "First")
        assert written.exit_code == 0, written.output
    author.doctor.migrate()
    more = """
    line_id: UUID | None = Field(foreign_key="NAME_order.lines.id", sa_type=Identifier)
MORE

class OrderLine(Base, table=True):
    __tablename__ = "order_words"
    id: UUID = Field(primary_key=True, sa_type=Identifier)
    order_id: UUID = Field(foreign_key="NAME.order.id", sa_type=Identifier)

class Word(Base, table=True):
    __tablename__ = "words"
    id: UUID = Field(primary_key=True, sa_type=Identifier)
    line_id: UUID = Field(foreign_key="NAME.order_words.id", sa_type=Identifier)
"""
    author.migrated_to(MODELS.replace("MORE", more), "more")
    written = author.write("Nothing")
    assert "It is empty" in written.output, author.revision("0003_nothing.py")


@ONE_DATABASE
def test_tables_of_two_registries_are_written_together(author: Author) -> None:
    more = """
    user_id: UUID | None = Field(foreign_key="modhost.users.id", sa_type=Identifier)
MORE

class Other(SQLModel, registry=registry(metadata=sa.MetaData(schema="NAME"))):
    pass


class Note(Other, table=True):
    __tablename__ = "notes"
    id: UUID = Field(primary_key=True, sa_type=Identifier)
    user_id: UUID | None = Field(foreign_key="modhost.users.id", sa_type=Identifier)
"""
    written = author.migrated_to(MODELS.replace("MORE", more), "both")
    assert "op.create_table('notes'" in written
    assert "op.create_table('users'" not in written
    assert "It is empty" in author.write("Nothing").output
