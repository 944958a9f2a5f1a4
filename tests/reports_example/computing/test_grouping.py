"""Periods and their sums; those of the shipped source are computed here once more, another way."""

import csv
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files

import pytest

from modhost_reports_example.computing.records import group_records, read_records
from modhost_reports_example.contracts import ReportRequest, ReportRow, ReportType
from modhost_reports_example.options import ReportsOptions
from modhost_reports_example.sources import Sources
from reports_example.support import CsvFolder

COLUMNS = ("precipitation", "temp_max", "temp_min", "wind")


def shipped_rows(report_type: ReportType) -> list[ReportRow]:
    request = ReportRequest(type=report_type, source="seattle-weather")
    return group_records(read_records(Sources(ReportsOptions()).path(request)), report_type)


def expected_values(prefix_length: int) -> dict[str, dict[str, list[Decimal]]]:
    """Return the numbers of each period and column, read without the module's own reader."""
    text = files("modhost_reports_example").joinpath("data/seattle-weather.csv").read_text("utf-8")
    periods: dict[str, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for line in csv.DictReader(text.splitlines()):
        for column in COLUMNS:
            period = line["date"].replace("/", "-")[:prefix_length]
            periods[period][column].append(Decimal(line[column]))
    return periods


@pytest.mark.parametrize(
    ("report_type", "prefix_length", "row_count"),
    [(ReportType.MONTHLY, len("2012-01"), 48), (ReportType.YEARLY, len("2012"), 4)],
)
def test_the_seattle_weather_is_summed_up_exactly(
    report_type: ReportType, prefix_length: int, row_count: int
) -> None:
    rows = shipped_rows(report_type)
    expected = expected_values(prefix_length)
    assert len(rows) == row_count
    assert sum(row.count for row in rows) == 1461
    assert [row.period for row in rows] == sorted(expected)
    for row in rows:
        assert tuple(row.values) == COLUMNS
        for column, summary in row.values.items():
            values = expected[row.period][column]
            assert row.count == len(values)
            assert summary.sum == float(sum(values))
            assert summary.mean == float(sum(map(Fraction, values)) / len(values))
            assert (summary.min, summary.max) == (float(min(values)), float(max(values)))


def test_rows_are_in_the_order_of_time_whatever_the_order_of_the_records(
    csv_folder: CsvFolder,
) -> None:
    content = "date,x\n2013-01-01,1\n2012-12-31,2\n2012-02-01,3\n2013-01-31,4\n"
    assert [(row.period, row.count) for row in csv_folder.rows(content)] == [
        ("2012-02", 1),
        ("2012-12", 1),
        ("2013-01", 2),
    ]
    yearly = csv_folder.rows(content, ReportType.YEARLY)
    assert [(row.period, row.count) for row in yearly] == [("2012", 2), ("2013", 2)]


def test_early_years_have_four_digits_too(csv_folder: CsvFolder) -> None:
    rows = csv_folder.rows("date,x\n0987-05-01,1\n", ReportType.YEARLY)
    assert [row.period for row in rows] == ["0987"]


def test_sums_do_not_drift_as_those_of_floats_do(csv_folder: CsvFolder) -> None:
    assert sum([0.1] * 10) != 1.0
    (row,) = csv_folder.rows("date,x\n" + "2012-01-01,0.1\n" * 10)
    assert row.values["x"].sum == 1.0


def test_small_numbers_survive_beside_large_ones(csv_folder: CsvFolder) -> None:
    (row,) = csv_folder.rows("date,x\n2012-01-01,1e200\n2012-01-02,1e-100\n2012-01-03,-1e200\n")
    assert row.values["x"].sum == 1e-100


def test_the_mean_is_that_of_the_values_and_not_of_the_lines(csv_folder: CsvFolder) -> None:
    (row,) = csv_folder.rows("date,x\n2012-01-01,1\n2012-01-02,\n2012-01-03,3\n")
    assert row.count == 3
    assert row.values["x"].mean == 2.0


def test_a_column_without_a_value_in_a_period_is_left_out_of_its_row(
    csv_folder: CsvFolder,
) -> None:
    first, second = csv_folder.rows("date,x,y\n2012-01-01,1,\n2012-02-01,,2\n")
    assert (set(first.values), set(second.values)) == ({"x"}, {"y"})


def test_no_records_make_no_rows() -> None:
    assert group_records([], ReportType.MONTHLY) == []


def test_a_number_too_small_for_a_float_is_nothing(csv_folder: CsvFolder) -> None:
    (row,) = csv_folder.rows("date,x\n2012-01-01,1e-9999999\n2012-01-02,5\n")
    assert (row.values["x"].sum, row.values["x"].min) == (5.0, 0.0)
