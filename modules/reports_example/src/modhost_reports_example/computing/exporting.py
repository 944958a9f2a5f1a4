"""A report as a CSV file and as a chart."""

import csv
import io
import re
import sys
from typing import Final
from xml.etree.ElementTree import Element

import pygal
from pygal.style import CleanStyle

from modhost_reports_example.contracts import Report

# pygal's finder of plugins, of no use here: Python 3.11 warns of it whenever any import fails.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_MEASURES: Final = ("sum", "mean", "min", "max")
_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_csv(report: Report) -> str:
    """Return the report as CSV: a line for each period, four columns for each column."""
    columns = _columns(report)
    text = io.StringIO()
    writer = csv.writer(text)
    named = [f"{column} {measure}" for column in columns for measure in _MEASURES]
    writer.writerow(["period", "count", *named])
    for row in report.rows:
        cells: list[object] = [row.period, row.count]
        for column in columns:
            summary = row.values.get(column)
            cells += [getattr(summary, measure) if summary else "" for measure in _MEASURES]
        writer.writerow(cells)
    return text.getvalue()


def as_svg(report: Report) -> str:
    """Return a line chart of the means, without any script or foreign resource."""
    chart = pygal.Line(
        js=(),
        style=CleanStyle,
        title=_as_xml_text(f"{report.source}, {report.type.value}: means"),
        x_label_rotation=45,
        show_minor_x_labels=False,
        dots_size=2,
        disable_xml_declaration=True,
        no_data_text="No numbers",
    )
    chart.add_xml_filter(_without_scripts)
    chart.x_labels = [row.period for row in report.rows]
    chart.x_labels_major = chart.x_labels[:: max(1, len(report.rows) // 12)]
    for column in _columns(report):
        means = [row.values[column].mean if column in row.values else None for row in report.rows]
        chart.add(_as_xml_text(column), means)
    rendered: str = chart.render(is_unicode=True)
    return rendered


def _without_scripts(svg: Element) -> Element:
    """Take out the settings that pygal embeds for its tooltips, even if it is told to have none."""
    for parent in list(svg.iter()):
        for script in parent.findall("script"):
            parent.remove(script)
    return svg


def _as_xml_text(text: str) -> str:
    """Replace the control characters that XML cannot hold, not even escaped."""
    return _NOT_XML.sub("\ufffd", text)


def _columns(report: Report) -> list[str]:
    return list(dict.fromkeys(column for row in report.rows for column in row.values))
