"""Texts that programs trip over, and variations of texts that they take."""

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

NASTY: Final = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "\udfff\ud800",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "\u202e",
    ),
    *(
        "\U0010ffff",
        "é",
        "e\u0301",
        "İ",
        "ß",
        "١٢٣",
        "²",
        "Ⅷ",
        "\r\n",
        "\t",
        "a\r\nSet-Cookie: a=b",
    ),
    *("-1", "0", "1e309", "-0", "NaN", "Infinity", "1_000", "0x10", "+1", " 1 ", "1.0", "1e2"),
    *(str(2**31), str(2**63), str(-(2**63) - 1), str(2**64), str(10**30), "9" * 5000),
    *("null", "true", "True", "None", "[]", "{}", '""', "[" * 20_000, '{"a":' * 20_000),
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
    *("9999-12-31T23:59", "2026-02-30", "2026-13-01T00:00:00Z", "2024-02-29T24:00:00Z"),
    *("2026-03-29T02:30", "2026-10-25T02:30", "1582-10-10", "+10000-01-01", "2026-W53-7"),
    *("%", "%%", "_", "\\", "'", '"', "' OR 1=1 --", "${jndi:x}", "{{7*7}}", "%s%n", "{0}", "%00"),
    *("../../etc/passwd", "..%2f..%2f", "/", "//", "//evil.example", "https://evil.example/"),
    *("javascript:alert(1)", "<script>alert(1)</script>", "=1+1", "@SUM(A1)", "*", ".*", "(a+)+$"),
    *("x" * 300, "x" * 5000, "a" * 100_000, "P1D", "1d", "-5s", "1e400s", "01a217f6-6e54-7349"),
    *("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
)
ZONES: Final = (
    *("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"),
    *("Africa/Casablanca", "Asia/Kathmandu", "America/St_Johns", "Antarctica/Troll", "EST5EDT"),
    *("Africa/El_Aaiun", "Europe/Dublin", "Pacific/Chatham", "Asia/Gaza", "Asia/Tehran", "GMT0"),
    *("localtime", "posix/UTC", "right/UTC", "Factory", "../UTC", "/etc/passwd", "utc", "Etc"),
    *("Europe", "", ".", "posixrules", "tzdata.zi", "zone.tab", "leapseconds", "__init__.py"),
)


def texts(*usual: str) -> st.SearchStrategy[str]:
    """Return a strategy of texts: the usual ones, the nasty, any, and variations."""
    known = st.sampled_from(usual or NASTY)
    anything = st.text(st.characters(), max_size=20)
    return st.one_of(known, st.sampled_from(NASTY), anything, varied(usual or NASTY))


def mostly(
    usual: st.SearchStrategy[str], odd: st.SearchStrategy[str], in_ten: int = 1
) -> st.SearchStrategy[str]:
    """Return a strategy of usual texts, with so many odd ones in ten."""
    return st.integers(0, 9).flatmap(lambda drawn: odd if drawn >= 10 - in_ten else usual)


def varied(seeds: Sequence[str]) -> st.SearchStrategy[str]:
    """Return a strategy of texts that are nearly one of the given ones."""
    pieces = st.one_of(
        st.sampled_from([each for each in NASTY if len(each) < 40]),
        st.text(st.characters(max_codepoint=0xFF), min_size=1, max_size=3),
        st.sampled_from(sorted({each for seed in seeds for each in seed if len(seed) < 4000})),
    )
    edits = st.lists(
        st.tuples(
            st.integers(0, 10_000),
            st.sampled_from(["insert", "delete", "replace", "repeat"]),
            pieces,
        ),
        min_size=1,
        max_size=4,
    )
    return st.builds(edited, st.sampled_from(seeds), edits)


def edited(text: str, edits: Sequence[tuple[int, str, str]]) -> str:
    """Return a text after edits, each at a place, whatever its length."""
    for place, kind, piece in edits:
        at = place % (len(text) + 1)
        if kind == "insert":
            text = text[:at] + piece + text[at:]
        elif kind == "delete":
            text = text[:at] + text[at + len(piece) :]
        elif kind == "replace":
            text = text[:at] + piece + text[at + len(piece) :]
        else:
            text = text[:at] + text[at : at + 20] * 3 + text[at + 20 :]
    return text
