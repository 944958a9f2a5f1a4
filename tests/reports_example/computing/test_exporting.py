"""Reports as files: a CSV that can be read again, a chart that a strict browser shows."""

import csv
import re
from xml.etree import ElementTree as ET

import pytest

from modhost_reports_example.computing.exporting import as_csv, as_svg
from reports_example.support import CsvFolder

SVG = "{http://www.w3.org/2000/svg}"
TWO_MONTHS = 'date,rain,"wind, in m/s"\n2012-01-01,0.1,\n2012-01-02,0.2,\n2012-02-01,5,7\n'


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def texts(svg: str) -> set[str]:
    return {element.text or "" for element in parsed(svg).iter(f"{SVG}text")}


def test_the_csv_has_a_line_for_each_period_and_four_columns_for_each_column(
    csv_folder: CsvFolder,
) -> None:
    lines = list(csv.reader(as_csv(csv_folder.report(TWO_MONTHS)).splitlines()))
    rain = ["rain sum", "rain mean", "rain min", "rain max"]
    wind = [name.replace("rain", "wind, in m/s") for name in rain]
    assert lines == [
        ["period", "count", *rain, *wind],
        ["2012-01", "2", "0.3", "0.15", "0.1", "0.2", "", "", "", ""],
        ["2012-02", "1", "5.0", "5.0", "5.0", "5.0", "7.0", "7.0", "7.0", "7.0"],
    ]


def test_the_csv_of_a_report_without_numbers_has_the_counts(csv_folder: CsvFolder) -> None:
    report = csv_folder.report("date,weather\n2012-01-01,sun\n")
    assert as_csv(report).split() == ["period,count", "2012-01,1"]


def test_a_column_named_like_a_formula_is_text_in_a_spreadsheet(csv_folder: CsvFolder) -> None:
    names = ["=1+1", "+a", "-b", "@c", "plain"]
    report = csv_folder.report(f"date,{','.join(names)}\n2012-01-01,1,-2,3,4,5\n")
    header, row = csv.reader(as_csv(report).splitlines())
    assert [each.removesuffix(" sum") for each in header[2::4]] == [
        *(f"'{name}" for name in names[:4]),
        "plain",
    ]
    assert row[6] == "-2.0"


def test_the_chart_names_its_source_its_columns_and_its_periods(csv_folder: CsvFolder) -> None:
    svg = as_svg(csv_folder.report(TWO_MONTHS, source="weather"))
    assert parsed(svg).findtext(f"{SVG}title") == "weather, monthly: means"
    assert {"rain", "wind, in m/s", "2012-01", "2012-02"} <= texts(svg)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((7.2, 17.4), {"5", "10", "15", "20"}),
        ((-3, 28), {"-10", "0", "10", "20", "30"}),
        ((0, 0.09), {"0", "0.02", "0.04", "0.06", "0.08", "0.1"}),
        ((5, 5), {"5", "6"}),
    ],
)
def test_the_axis_of_a_chart_has_round_numbers(
    csv_folder: CsvFolder, values: tuple[float, float], ticks: set[str]
) -> None:
    lines = "".join(f"2012-0{number}-01,{value}\n" for number, value in enumerate(values, 1))
    assert ticks <= texts(as_svg(csv_folder.report(f"date,x\n{lines}")))


@pytest.mark.parametrize("values", [(1e120, -1e120), (0, 5e-324), (1e16, 1e16 + 2)])
def test_values_that_no_axis_can_show_are_refused_in_words(
    csv_folder: CsvFolder, values: tuple[float, float]
) -> None:
    lines = "".join(f"2012-0{number}-01,{value!r}\n" for number, value in enumerate(values, 1))
    svg = as_svg(csv_folder.report(f"date,x\n{lines}"))
    assert "The numbers are too far apart, or too close, for a chart" in texts(svg)


def test_the_words_of_a_chart_for_phones_are_as_large_as_those_of_a_wide_one(
    csv_folder: CsvFolder,
) -> None:
    """A wide chart is shown at half its size there, and its words were seven pixels high."""
    report = csv_folder.report(TWO_MONTHS)
    narrow, wide = as_svg(report, is_narrow=True), as_svg(report)
    assert parsed(narrow).attrib["viewBox"] == "0 0 340 340"
    sizes = [set(re.findall(r"font-size: (\d+)px", svg)) for svg in (narrow, wide)]
    assert sizes[0] == sizes[1]
    assert {"rain", "wind, in m/s", "2012-01"} <= texts(narrow)


def test_the_chart_of_a_report_without_numbers_says_so(csv_folder: CsvFolder) -> None:
    assert "No numbers" in texts(as_svg(csv_folder.report("date,weather\n2012-01-01,sun\n")))


def test_the_chart_runs_no_script_and_loads_nothing(csv_folder: CsvFolder) -> None:
    """The library embeds its settings as a script even without js."""
    svg = as_svg(csv_folder.report(TWO_MONTHS))
    for element in parsed(svg).iter():
        assert element.tag != f"{SVG}script"
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert not name.endswith(("href", "src"))
            assert "url(" not in value.replace("url(#", "")
    without_comments = re.sub(r"<!--.*?-->", "", svg)
    assert "script" not in without_comments
    assert "@import" not in svg
    assert not re.search(r"(https?:)?//(?!www\.w3\.org/)", without_comments)


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "a]]>b", "R&D", "\x01\x00", "Wärme 🌡", "--><b>", "{{ x }}"],
)
def test_the_chart_is_well_formed_whatever_a_column_is_called(
    csv_folder: CsvFolder, name: str
) -> None:
    svg = as_svg(csv_folder.report(f"date,{name}\n2012-01-01,1\n", source=name))
    assert not list(parsed(svg).iter(f"{SVG}script"))
    shown = "\ufffd\ufffd" if name == "\x01\x00" else name
    assert parsed(svg).findtext(f"{SVG}title") == f"{shown}, monthly: means"
