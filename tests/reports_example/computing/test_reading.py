"""The CSV files that can be read, and the errors of those that cannot."""

from datetime import date
from decimal import Decimal

import pytest

from modhost_reports_example.computing.records import UnreadableCsv
from reports_example.support import CsvFolder

FIRST = date(2012, 1, 31)


def test_a_line_becomes_a_record_with_its_date_and_its_numbers(csv_folder: CsvFolder) -> None:
    (record,) = csv_folder.records("date,rain,wind\n2012-01-31,0.10,-4.7e1\n")
    assert record.day == FIRST
    assert record.values == {"rain": Decimal("0.10"), "wind": Decimal(-47)}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("\ufeffdate,rain\n2012-01-31,1\n", id="byte order mark"),
        pytest.param("date,rain\r\n2012-01-31,1\r\n", id="CRLF"),
        pytest.param("date,rain\r2012-01-31,1\r", id="CR"),
        pytest.param("date,rain\n2012-01-31,1", id="no line end at the end"),
        pytest.param('"date","rain"\n"2012-01-31","1"\n', id="quoted"),
        pytest.param("date;rain\n2012-01-31;1\n", id="semicolons"),
        pytest.param("date\train\n2012-01-31\t1\n", id="tabs"),
        pytest.param("date|rain\n2012-01-31|1\n", id="bars"),
        pytest.param(" date , rain \n 2012-01-31 , 1 \n", id="blanks around values"),
        pytest.param("date,rain\n\n2012-01-31,1\n\n , \n\n", id="blank lines"),
        pytest.param("rain,Date\n1,2012-01-31\n", id="date column last, in another case"),
    ],
)
def test_ways_to_write_the_same_records_are_read_alike(csv_folder: CsvFolder, content: str) -> None:
    (record,) = csv_folder.records(content)
    assert record.day == FIRST
    assert record.values == {"rain": Decimal(1)}


@pytest.mark.parametrize(
    "written",
    [
        "2012-01-31",
        "2012-1-31",
        "2012/01/31",
        "31.01.2012",
        "20120131",
        "2012-01-31 23:59:59",
        "2012-01-31T23:59:59.5Z",
    ],
)
def test_dates_are_read_in_the_formats_that_cannot_be_mistaken(
    csv_folder: CsvFolder, written: str
) -> None:
    assert csv_folder.records(f"date,rain\n{written},1\n")[0].day == FIRST


@pytest.mark.parametrize("written", ["03/04/2012", "2012-02-30", "201211", "soon", ""])
def test_anything_else_in_the_date_column_is_not_a_date(
    csv_folder: CsvFolder, written: str
) -> None:
    with pytest.raises(UnreadableCsv, match=rf"line 2: '{written}' in 'date' is not a date"):
        csv_folder.records(f"date,rain\n{written},1\n")


def test_without_a_column_named_date_the_first_that_holds_dates_is_taken(
    csv_folder: CsvFolder,
) -> None:
    content = "station,number,begin,end,rain\nSeattle,201211,2012-01-31,2013-01-31,1\n"
    (record,) = csv_folder.records(content)
    assert record.day == FIRST
    assert record.values == {"number": Decimal(201211), "rain": Decimal(1)}


def test_a_column_named_date_wins_over_an_earlier_one_that_holds_dates(
    csv_folder: CsvFolder,
) -> None:
    (record,) = csv_folder.records("begin,date,rain\n2011-01-01,2012-01-31,1\n")
    assert record.day == FIRST


def test_empty_cells_are_no_values_and_text_columns_are_left_out(csv_folder: CsvFolder) -> None:
    content = "date,rain,weather\n2012-01-31,,sun\n2012-02-01,2,7\n"
    assert [record.values for record in csv_folder.records(content)] == [{}, {"rain": Decimal(2)}]


def test_a_source_without_numbers_still_has_records(csv_folder: CsvFolder) -> None:
    (record,) = csv_folder.records("date,weather\n2012-01-31,sun\n")
    assert record.values == {}


def test_a_quoted_value_may_hold_delimiters_and_line_ends(csv_folder: CsvFolder) -> None:
    content = 'date,note,rain\n2012-01-31,"so, so\nlala",1\n2012-02-01,"",2\n'
    assert [record.values["rain"] for record in csv_folder.records(content)] == [1, 2]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param("", "line 1: there is no header.", id="empty file"),
        pytest.param("\ufeff", "line 1: there is no header.", id="only a byte order mark"),
        pytest.param("\ndate,rain\n", "line 1: there is no header.", id="blank first line"),
        pytest.param(
            "2012-01-31,1\n2012-02-01,2\n",
            "line 1: there is no header: '2012-01-31' is a date, not a name.",
            id="no header",
        ),
        pytest.param(
            "date,rain\n", "line 1: there are no records below the header.", id="only a header"
        ),
        pytest.param(
            "date,rain, rain\n2012-01-31,1,2\n",
            "line 1: two columns have the same name.",
            id="a name twice",
        ),
        pytest.param(
            "day,rain\nMonday,1\n",
            "line 2: no column is named 'date', and no column starts with a date.",
            id="no date column",
        ),
        pytest.param(
            "date,rain,wind\n2012-01-31,1,2\n2012-02-01,1\n",
            "line 3: there are 2 values for 3 columns.",
            id="short line",
        ),
        pytest.param(
            "date,rain\n2012-01-31,1,2\n",
            "line 2: there are 3 values for 2 columns.",
            id="long line",
        ),
        pytest.param(
            "date,rain\n2012-01-31,1\n\n2012-02-01,wet\n",
            "line 4: 'wet' in 'rain' is not a number.",
            id="bad number",
        ),
        pytest.param(
            'date,note,rain\n2012-01-31,"a\nb",1\n2012-02-01,c,wet\n',
            "line 4: 'wet' in 'rain' is not a number.",
            id="bad number below a value of two lines",
        ),
        pytest.param(
            "date,rain\n2012-01-31,1\ngone,2\n",
            "line 3: 'gone' in 'date' is not a date.",
            id="bad date",
        ),
        pytest.param(
            'date,rain\n2012-01-31,"1\n2012-02-01,2\n',
            "line 3: unexpected end of data.",
            id="a quote without its end",
        ),
    ],
)
def test_what_cannot_be_read_is_reported_with_its_line_and_the_reason(
    csv_folder: CsvFolder, content: str, complaint: str
) -> None:
    with pytest.raises(UnreadableCsv) as raised:
        csv_folder.records(content)
    assert str(raised.value) == complaint
    assert complaint.startswith(f"line {raised.value.line}: ")


@pytest.mark.parametrize("value", ["NaN", "nan", "sNaN", "inf", "-Infinity", "1e201", "-1e9999999"])
@pytest.mark.parametrize("before", ["", "2012-01-30,1\n"])
def test_numbers_that_no_sum_can_hold_are_refused(
    csv_folder: CsvFolder, value: str, before: str
) -> None:
    content = f"date,rain\n{before}2012-01-31,{value}\n"
    line = content.count("\n")
    with pytest.raises(
        UnreadableCsv,
        match=rf"line {line}: '{value}' in 'rain' is too large for a sum, or not finite",
    ):
        csv_folder.records(content)


def test_a_byte_that_is_not_utf8_is_reported_with_its_own_line(csv_folder: CsvFolder) -> None:
    """Decoding is done in blocks of lines: an early version blamed the first line of the block."""
    with pytest.raises(UnreadableCsv, match="line 3: the text is not UTF-8"):
        csv_folder.records(b"date,town\n2012-01-31,Berlin\n2012-02-01,K\xf6ln\n")


def test_a_file_of_another_encoding_is_refused_on_its_first_line(csv_folder: CsvFolder) -> None:
    with pytest.raises(UnreadableCsv, match="line 1: the text is not UTF-8"):
        csv_folder.records("date,rain\n2012-01-31,1\n".encode("utf-16"))


def test_a_value_that_never_ends_is_refused_instead_of_filling_the_memory(
    csv_folder: CsvFolder,
) -> None:
    with pytest.raises(UnreadableCsv, match="line 2: field larger than field limit"):
        csv_folder.records("date,note\n2012-01-31," + "x" * 200_000)
