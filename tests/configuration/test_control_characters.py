"""Control characters are refused wherever they are, before anything fails on them."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from cli.command_line import CommandLine
from configuration.loading import load, only_problem
from modhost import ModuleOptions


class Options(ModuleOptions):
    folder: Path = Path()
    text: str = ""
    token: SecretStr = SecretStr("")
    names: list[str] = Field(default_factory=list)
    table: dict[str, dict[str, str]] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r'bind = "127.0.0.1\u0000:8000"', r"[host] bind has the control character '\x00'"),
        (r'bind = "127.0.0.1:80\n"', r"[host] bind has the control character '\n'"),
        (r'public_url = "https://a\tb.example/"', r"public_url has the control character '\t'"),
        (r'database_url = "sqlite:///a\u0000.db"', "database_url has the control character"),
        (r'database_url = "postgresql://me:ses\u0007ame@host/db"', r"character '\x07' at position"),
        (r'allowed_hosts = ["a", "b\u007f"]', r"item 2 of [host] allowed_hosts has the control"),
        (r'modules.disabled = ["\u0085"]', r"item 1 of [host.modules] disabled has the control"),
    ],
)
def test_the_host_takes_none(tmp_path: Path, line: str, words: str) -> None:
    problem = only_problem(load(tmp_path, f"[host]\n{line}\n"))
    assert words in problem
    assert problem.endswith("Write it without.")
    assert "sesame" not in problem


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r'folder = "up\u0000loads"', r"[modules.a] folder has the control character '\x00'"),
        (r'text = "\u001b[31mred"', r"[modules.a] text has the control character '\x1b'"),
        (r'token = "sesame\u0000"', "[modules.a] token has the control character"),
        (r'names = ["\u0001"]', "item 1 of [modules.a] names has the control character"),
        (r'table.b.c = "\u0000"', "[modules.a.table.b] c has the control character"),
        ('table."b\\u0000" = {}', "has the control character"),
    ],
)
def test_modules_take_none_either(tmp_path: Path, line: str, words: str) -> None:
    configuration = load(tmp_path, f"[modules.a]\n{line}\n")
    assert configuration.bind("a", Options) is None
    problem = only_problem(configuration)
    assert words in problem
    assert "sesame" not in problem


def test_modules_take_texts_of_several_lines(tmp_path: Path) -> None:
    configuration = load(tmp_path, '[modules.a]\ntext = """one\n\ttwo\r\n"""\n')
    options = configuration.bind("a", Options)
    assert options is not None
    assert options.text == "one\n\ttwo\n"


def test_variables_and_files_of_secrets_are_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"sesame\x00")
    configuration = load(
        tmp_path,
        '[modules.a]\ntoken_file = "token"\n',
        MODHOST__MODULES__A__TEXT="a\x0cb",
    )
    assert configuration.bind("a", Options) is None
    text, token = sorted(map(str, configuration.findings))
    assert "environment variable MODHOST__MODULES__A__TEXT: [modules.a] text has" in text
    assert f"the file {tmp_path / 'token'}: [modules.a] token has" in token


def test_a_command_says_so_before_it_does_anything(tmp_path: Path) -> None:
    file = tmp_path / "host.toml"
    file.write_text('[modules.reports_example]\nupload_folder = "up\\u0000"\n')
    run = CommandLine(file).run("config")
    assert r"upload_folder has the control character '\x00' at position 3" in str(run.exception)
