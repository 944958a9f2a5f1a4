"""Reports as charts on pages."""

from datetime import UTC, datetime

import pytest

from modhost_reports_example.computing.drawing import MAX_LINES, MAX_PLACES, Drawing, draw
from modhost_reports_example.contracts import ReportType
from reports_example.support import CsvFolder

LATER = datetime(2030, 1, 1, tzinfo=UTC)
MONTHS = "date,rain,cold\n2012-01-01,0.1,-3\n2012-01-02,0.2,-5\n2012-02-01,5,7\n"


def drawn(
    folder: CsvFolder,
    content: str,
    kind: ReportType = ReportType.MONTHLY,
    made_at: datetime = LATER,
) -> Drawing:
    return draw(kind, folder.rows(content, kind), made_at)


def test_each_column_is_a_line_and_each_period_reads_all_of_them(csv_folder: CsvFolder) -> None:
    found = drawn(csv_folder, MONTHS)
    assert [line.column for line in found.lines] == ["rain", "cold"]
    assert found.labels.split("\n") == ["2012-01", "2012-02"]
    assert found.readings.split("\n") == ["rain 0.15, cold -4", "rain 5, cold 7"]
    assert list(found.ends) == ["2012-01", "2012-02"]
    assert list(found.ticks) == ["10", "5", "0", "-5"]
    assert found.zero == pytest.approx(66.67)
    assert not found.is_open
    assert not found.problem


def test_a_period_without_records_has_its_place(csv_folder: CsvFolder) -> None:
    found = drawn(csv_folder, "date,x\n2012-01-01,1\n2012-06-01,2\n")
    assert found.labels.split("\n")[1:5] == ["2012-02", "2012-03", "2012-04", "2012-05"]
    assert found.readings.split("\n") == ["x 1", *["no number"] * 4, "x 2"]
    assert len(found.lines[0].points) == 2


@pytest.mark.parametrize(
    ("kind", "made_at", "is_open"),
    [
        (ReportType.MONTHLY, datetime(2012, 2, 29, 23, tzinfo=UTC), True),
        (ReportType.MONTHLY, datetime(2012, 3, 1, tzinfo=UTC), False),
        (ReportType.YEARLY, datetime(2012, 12, 31, tzinfo=UTC), True),
        (ReportType.YEARLY, datetime(2013, 1, 1, tzinfo=UTC), False),
    ],
)
def test_a_last_period_that_had_not_ended_is_open(
    csv_folder: CsvFolder, kind: ReportType, made_at: datetime, *, is_open: bool
) -> None:
    found = drawn(csv_folder, MONTHS, kind, made_at)
    assert found.is_open is is_open
    assert found.readings.endswith(" so far") is is_open


def test_many_periods_share_places_by_the_mean_of_their_records(csv_folder: CsvFolder) -> None:
    months = [f"{2000 + n // 12}-{n % 12 + 1:02d}" for n in range(240)]
    lines = "".join(f"{month}-01,{n % 3}\n" for n, month in enumerate(months))
    found = drawn(csv_folder, f"date,x\n{lines}2000-01-02,6\n")
    labels, readings = found.labels.split("\n"), found.readings.split("\n")
    assert labels[:2] == ["2000-01 to 2000-03", "2000-04 to 2000-06"]
    assert len(labels) == len(readings) == 80
    assert readings[:2] == ["x 2.25", "x 1"]
    assert found.thinned == "3 months"


@pytest.mark.parametrize("kind", list(ReportType))
def test_the_widest_report_has_a_bounded_number_of_places(
    csv_folder: CsvFolder, kind: ReportType
) -> None:
    found = drawn(csv_folder, "date,x\n0001-01-01,1\n9999-12-31,2\n", kind)
    assert 2 < len(found.readings.split("\n")) <= MAX_PLACES
    assert found.thinned == "100 years"


def test_columns_beyond_those_with_a_colour_of_their_own_are_left_out(
    csv_folder: CsvFolder,
) -> None:
    names = [f"column{number}" for number in range(9)]
    found = drawn(csv_folder, f"date,{','.join(names)}\n2012-01-01{',1' * 9}\n")
    assert [line.column for line in found.lines] == names[:MAX_LINES]
    assert found.left_out == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("date,weather\n2012-01-01,sun\n", "No numbers"),
        (
            "date,x\n2012-01-01,1e120\n2012-02-01,-1e120\n",
            "The numbers are too far apart, or too close, for a chart",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_in_words(
    csv_folder: CsvFolder, content: str, problem: str
) -> None:
    assert drawn(csv_folder, content) == Drawing(problem)


def test_a_report_of_nothing_has_no_chart() -> None:
    assert draw(ReportType.YEARLY, [], LATER).problem == "No numbers"


def test_names_of_columns_stay_on_one_short_line(csv_folder: CsvFolder) -> None:
    found = drawn(csv_folder, f'date,"a\nb",{"long" * 20}\n2012-01-01,1234567.8,0.00001\n')
    assert found.readings == (
        "a b 1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}568, "
        f"{'long' * 10}\N{HORIZONTAL ELLIPSIS} 1e-05"
    )
