"""`modhost users add` says what is wrong before it asks for a password."""

import pytest

from cli.command_line import CommandLine
from modhost.cli.identity import users

PASSWORD = "correct horse battery\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a password was asked for."""
    times: list[str] = []

    def read() -> str:
        times.append("asked")
        return PASSWORD.strip()

    monkeypatch.setattr(users, "read_password", read)
    return times


@pytest.mark.parametrize(
    ("words", "code", "reported"),
    [
        ("bob --role Nope", 2, "There is no role 'Nope'. "),
        ("admin", 2, "The user 'admin' is the built-in administrator: "),
        ("\t", 2, "The name of a user is empty; give it one."),
        ("ADA", 1, "There is a user 'ADA'; choose another name, "),
    ],
)
def test_name_and_role_are_checked_before_the_password(
    command_line: CommandLine, asked: list[str], words: str, code: int, reported: str
) -> None:
    assert command_line.run("users", "add", "ada").exit_code == 0
    assert asked == ["asked"]
    run = command_line.run("users", "add", *words.split(" "))
    assert (run.exit_code, run.stdout) == (code, "")
    assert run.stderr.startswith(f"Error: {reported}")
    assert run.stderr.count("\n") == 1
    assert asked == ["asked"]


def test_a_password_is_read_from_standard_input(command_line: CommandLine) -> None:
    run = command_line.run("users", "add", "bob", "--role", "Admin", given=PASSWORD)
    assert (run.exit_code, run.stdout) == (0, "The user 'bob' can log in.\n")
    short = command_line.run("users", "add", "eve", given="short\n")
    assert (short.exit_code, short.stderr) == (
        2,
        "Error: The password has 5 characters; use at least 8.\n",
    )
