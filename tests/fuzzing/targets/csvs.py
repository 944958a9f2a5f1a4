"""CSV: uploads that reports are made of, and the files and charts that come out."""

import csv
import io
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree

from hypothesis import strategies as st

from fuzzing.attacked import AttackedHost
from fuzzing.exchange import Fault, Request
from fuzzing.inputs.texts import NASTY, texts, varied

FILES: Final = (
    "date,precipitation,wind\n2012-01-01,0.0,4.7\n2012-02-01,10.9,4.5\n",
    "date;a\r\n01.02.2012;1\r\n\r\n02.02.2012;\r\n",
    '\ufeffname\tday\tvalue\n"a ""b"""\t2012/01/01\t1e3\n',
    "date,=cmd|'/C calc'!A0,@a,+b,-c\n2012-01-01,1,2,3,4\n",
    "date,a\n2012-01-01,1e999\n",
    "date,a\n2012-01-01,1e-999999\n2012-01-02,1e200\n2012-01-03,-1e200\n",
    'date,"a\nb"\n2012-01-01,1\n',
    "date,date\n2012-01-01,2\n",
    "date\n0001-01-01\n9999-12-31\n",
    "date,<script>alert(1)</script>,]]>,&amp;\n2012-01-01,1,2,3\n",
)
CELLS: Final = (
    *("2012-01-01", "2012-W01-1", "20120101", "2012-01-01T00:00:00+14:00", "31.12.2012"),
    *("0001-01-01", "9999-12-31", "1", "-1.5", "1e200", "1e-400", "NaN", "sNaN", "-Infinity"),
    *("1e999999999999999999", "0e-999999999999999999", "1_0", "٣", "\0", "\x1a", "a", "", '"'),
)


def _files() -> st.SearchStrategy[str]:
    cell = st.one_of(st.sampled_from(CELLS), texts(*CELLS))
    row = st.lists(cell, min_size=1, max_size=4)
    header = st.lists(
        st.one_of(st.sampled_from(("date", "Date ", "a", "=1+1", "-", "\t@x")), texts()),
        min_size=1,
        max_size=4,
    )
    return st.builds(
        lambda head, rows, delimiter, end: end.join(delimiter.join(row) for row in [head, *rows]),
        header,
        st.lists(row, max_size=4),
        st.sampled_from(",;\t|"),
        st.sampled_from(("\n", "\r\n", "\r", "\n\n")),
    )


@dataclass
class Csv:
    """Each input is a file, of which each character is a byte."""

    host: AttackedHost
    name: str = "csv"

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        written = st.one_of(_files(), varied(FILES), st.sampled_from(FILES))
        encoded = written.map(lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1"))
        raw = st.one_of(encoded, st.binary(max_size=60).map(lambda each: each.decode("latin-1")))
        return st.fixed_dictionaries(
            {"type": st.sampled_from(("monthly", "yearly", *NASTY[:4])), "file": raw}
        )

    def attack(self, given: Any) -> str:
        kind = given["type"].encode("utf-8", "surrogatepass").hex("%")
        target = f"/api/reports?type=%{kind}" if kind else "/api/reports"
        headers = (("Content-Type", "text/csv"),)
        answer = self.host.attack(Request("POST", target, headers, given["file"], "admin"))
        if answer.status != 202:
            return f"refused {answer.status}"
        job_id = answer.json()["job_id"]
        job = self.host.end_of(job_id)
        if job.error:
            if not job.error.startswith("line ") and ": line " not in job.error:
                raise Fault(f"the report fails with {job.error}")
            if len(job.attempts) > 1 or "Traceback" in job.error:
                raise Fault(f"the report is tried {len(job.attempts)} times: {job.error}")
            return "unreadable"
        self._check_files(job_id)
        return "report"

    def _check_files(self, job_id: str) -> None:
        found = {}
        for form in ("", ".csv", ".svg"):
            path = f"/api/reports/{job_id}{form}"
            answer = self.host.attack(Request("GET", path, caller="viewer"))
            if answer.status != 200:
                raise Fault(f"{path} is answered with {answer.status}: {answer.text[:200]}")
            found[form] = answer
        rows = list(csv.reader(io.StringIO(found[".csv"].body.decode(), newline="")))
        if len({len(row) for row in rows}) != 1 or len(rows) != len(found[""].json()["rows"]) + 1:
            raise Fault(f"the file has other rows than the report: {rows}")
        for cell in (cell for row in rows for cell in row):
            if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not _is_number(cell):
                raise Fault(f"a spreadsheet would run {cell!r}")
        chart = ElementTree.fromstring(found[".svg"].body)
        if chart.find(".//{*}script") is not None:
            raise Fault("the chart has a script")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
