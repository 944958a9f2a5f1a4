"""A configuration file that cannot be used is reported with what is wrong."""

from pathlib import Path

import pytest

from configuration.loading import load, only_problem
from modhost.configuration import load_configuration


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[host\n", "is not valid TOML"),
        ("[hots]\nbind = 1\n", "[hots] is unknown"),
        ("host = 1\n", "[host] is not a table"),
        ("[modules]\na = 1\n", "[modules] a is not a table"),
        ("[host]\nbnid = 1\n", "[host] bnid is not an option. Did you mean 'bind'?"),
        ('[host]\nenvironment = "test"\n', "[host] environment is 'test'"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, words: str) -> None:
    assert words in only_problem(load(tmp_path, text))


def test_a_file_that_is_not_there_says_how_to_name_another(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    assert "does not exist. Name another by --config" in only_problem(
        load_configuration(missing, {})
    )
    from_environment = load_configuration(None, {"MODHOST_CONFIG": str(missing)})
    assert str(missing) in only_problem(from_environment)


def test_a_folder_in_place_of_the_file_is_the_only_problem(tmp_path: Path) -> None:
    # The database that a host would have by default is here, and not beside the folder.
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "modhost.db").touch()
    (tmp_path / "etc" / "modhost").mkdir(parents=True)
    named = load_configuration(None, {"MODHOST_CONFIG": str(tmp_path / "etc" / "modhost")})
    assert "is a folder. Name the file in it, by --config" in only_problem(named)
