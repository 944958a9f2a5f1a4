"""Names and prose use the words of the field, not those that only this project knew."""

import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from docs.pages import ROOT

# Module and folder names, as a whole.
FILES: Final = {
    "agenda": "due_schedules",
    "attention": "alerts",
    "begun_login": "login_state",
    "belief": "clock_jump_guard",
    "calling": "caller",
    "choosing": "module_selection",
    "containment": "exit_guard",
    "deaf_attempts": "unresponsive",
    "draining": "shutdown",
    "entered": "installed",
    "entering": "login_response",
    "frontier": "claim_cursor",
    "heir": "replacement",
    "history": "retention_clock",
    "kept": "results_file",
    "nurseries": "fork_servers",
    "operations": "bulk",
    "operator": "bulk runner",
    "operators": "bulk runner",
    "orphans": "lost_claims",
    "pace": "prefetch",
    "parts": "partitions",
    "quarantine": "poison_jobs",
    "refusals": "integrity_errors",
    "secrecy": "redaction",
    "sqlite_moving": "transitions",
    "stopping": "attempt",
    "story": "scenario",
    "suspects": "poison_jobs",
    "tally": "shared_counters",
    "telling": "output",
    "windows": "error_search",
}
# Regular expressions for identifiers, which match anywhere in them.
IDENTIFIERS: Final = {
    r"(?i)(^|_)belie(f|ved?)(_|$)": "trusted",
    r"(?i)(^|_)deaf|^Deaf": "unresponsive",
    r"(?i)(^|_)frontier(_|$)": "cursor",
    r"(?i)(^|_)agenda(_|$)": "due_schedules",
    r"(?i)containment": "exit_guard",
    r"(?i)nurser": "fork_servers",
    r"(?i)(^|_)orphans(_|$)": "lost_claims",
    r"(?i)(^|_)secrecy(_|$)": "redaction",
    r"(?i)(^|_)suspects(_|$)": "poison_jobs",
    r"(?i)(^|_)tell(s|ing)?(_|$)": "report, print or describe",
    r"(?i)(^|_)told(_|$)": "reported",
    r"(?i)(^|_)mend(s|ed)?(_|$)": "fix",
    r"(?i)(^|_)looks?(_|$)|(^|_)looked(_|$)": "poll, read or check",
    r"(?i)(^|_)(is|are|was)_over(_|$)": "finished",
    r"BegunLogin|begun_login": "login_state",
    r"_A_TURN$": "_PER_TICK",
    r"^_?MOST(_|$)": "MAX_",
    r"^_?LEAST(_|$)": "MIN_",
    r"LOOK_SECONDS": "POLL_INTERVAL",
    r"FAREWELL": "SHUTDOWN_TIMEOUT",
    r"AT_ONCE$": "BATCH_SIZE",
}
# Regular expressions for docstrings, comments, messages, templates, pages and names of tests.
PROSE: Final = {
    r"\b(is|are|was|were|be|been|being) over\b(?! (\d|an? |the |half|high|\{|…))": "finished",
    r"\btold\b(?! apart)": "reported, asked, shown",
    r"\b[Tt]ells? (?!.{0,60}\bapart\b)": "return, report, show, print, explain",
    r"\b[Mm]end(s|ed|ing)?\b": "fix",
    r"\blook(s|ed|ing)? (at|for|into|through|after)\b": "poll, read, check, search, find",
    r"\bhand(s|ed|ing)? back\b": "release",
    r"(?<![Tt]here )\bis no (?!longer\b|more\b|other\b|need\b|way\b)": "is not a",
    r"\blest\b": "so that … not",
    r"\bfor good\b": "permanently",
    r"\bat the (most|least|latest)\b": "at most, at least",
    r"\b(see|sees|seen) to\b": "take care of, ensure",
    r"\bon (its|the|their) way\b(?! (out|in|back)\b)": "in transit, in flight, meanwhile",
    r"\bfor ever\b": "forever",
    r"\bso-and-so": "a number",
    r"\bgo(es)? on\b": "continue",
    r"\bby whichever\b": "by the first that",
}
ALLOWED: Final[dict[tuple[str, str], str]] = {
    (
        "benchmarks/measurements/growth/history.py",
        "history",
    ): "jobs that ended before",
    ("benchmarks/demo/past/history.py", "history"): "jobs that ended before",
    ("host/src/modhost/web/reference/operations.py", "operations"): "as OpenAPI calls them",
    ("docs/operations.md", "operations"): "the page about running it, as operators call it",
    ("tests/docs/code/test_words.py", ""): "this list",
    ("tests/simulation/history.py", "history"): "what happened in a simulation",
}
"""The places where a word stands for a reason; an empty word allows all of a file."""
SUFFIXES: Final = {".css", ".html", ".js", ".md", ".py", ".tmpl", ".toml", ""}


def files() -> list[Path]:
    """Return the files of the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def tokens(text: str) -> Iterator[tuple[int, str, str]]:
    """Return the lines, kinds and texts of what people read in Python code."""
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            for number, line in enumerate(token.string.splitlines()):
                yield token.start[0] + number, "prose", line
        elif token.type == tokenize.NAME:
            yield token.start[0], "name", token.string
            if before == "def" and token.string.startswith("test_"):
                yield token.start[0], "prose", token.string.replace("_", " ")
            before = token.string


def found_in(path: Path) -> Iterator[str]:
    """Return a sentence for each retired word in a file."""
    for part in {path.stem, *path.parent.parts} & FILES.keys():
        if (str(path), part) not in ALLOWED:
            yield f"{path}: the name {part!r}: say {FILES[part]!r}"
    if path.suffix not in SUFFIXES or (str(path), "") in ALLOWED:
        return
    text = (ROOT / path).read_text("utf-8")
    if path.suffix == ".py":
        texts = tokens(text)
    else:
        texts = ((number, "prose", line) for number, line in enumerate(text.splitlines(), 1))
    for number, kind, each in texts:
        for word, better in retired(kind, each):
            if (str(path), word) not in ALLOWED:
                yield f"{path}:{number}: {word!r} in {each.strip()!r}: say {better!r}"


# The same names are everywhere.
@cache
def retired(kind: str, text: str) -> list[tuple[str, str]]:
    patterns = IDENTIFIERS if kind == "name" else PROSE
    found = ((re.search(pattern, text), better) for pattern, better in patterns.items())
    return [(word[0], better) for word, better in found if word]


@pytest.mark.parametrize("part", sorted({path.parts[0] for path in files()}))
def test_no_retired_word_is_used(part: str) -> None:
    checked = (path for path in files() if path.parts[0] == part)
    assert [line for path in checked for line in found_in(path)] == []


def test_every_exception_is_needed() -> None:
    assert [path for path, _ in ALLOWED if not (ROOT / path).exists()] == []
