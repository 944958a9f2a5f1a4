"""Tables and lists that are nested deeper than anything that reads them."""

from pathlib import Path

import pytest

from configuration.loading import load, only_problem
from modhost.cli.main import main

DEEP = 20_000
TOO_DEEP = "nested more than 50 levels deep"


@pytest.mark.parametrize(
    "text",
    [
        "host" + ".a" * 2_000 + " = 1",
        "[host" + ".a" * 500 + "]",
        "host.silence = " + "[" * DEEP + "]" * DEEP,
        "host.silence = " + "[" * 60 + "]" * 60,
        "host.a = " + "{ a = " * 60 + "1" + " }" * 60,
    ],
    ids=["keys", "section", "lists beyond reading", "lists", "tables"],
)
def test_a_file_that_is_nested_too_deeply_is_one_problem(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = only_problem(load(tmp_path, text))
    assert TOO_DEEP in problem
    assert str(tmp_path / "host.toml") in problem
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(tmp_path / "host.toml"), "config"])
    assert ended.value.code == 2
    assert TOO_DEEP in capsys.readouterr().err


@pytest.mark.parametrize("depth", [60, DEEP])
def test_a_variable_that_is_nested_too_deeply_is_not_a_list(tmp_path: Path, depth: int) -> None:
    configuration = load(tmp_path, "", MODHOST__HOST__SILENCE="[" * depth + "]" * depth)
    assert "environment variable MODHOST__HOST__SILENCE" in only_problem(configuration)


@pytest.mark.parametrize("name", ["MODHOST__HOST", "MODHOST__OTHER", "MODHOST__HOST__NAME"])
def test_a_variable_with_thousands_of_keys_is_unknown(tmp_path: Path, name: str) -> None:
    configuration = load(tmp_path, "", **{f"{name}{'__A' * DEEP}": "1"})
    assert configuration.findings
    assert all(name.split("__")[1].lower() in str(each) for each in configuration.findings)
