"""Putting the tables into a page that says more than they do."""

from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- measured: written by `python -m benchmarks --markdown` -->"
END: Final = "<!-- end of measured -->"


def put_into(path: Path, tables: str) -> None:
    """Replace what stands between the marks; a file without marks holds the tables alone."""
    text = path.read_text() if path.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        path.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{after}")
    else:
        path.write_text(tables)
