"""A report as a CSV file and as a chart."""

import csv
import io
import re
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

from modhost.web.charts import NoScale, linear
from modhost_reports_example.contracts import Report, ReportRow

# pygal's plugin finder, which is not needed: Python 3.11 warns of it whenever an import fails.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

NO_NUMBERS: Final = "No numbers"
NO_SCALE: Final = "The numbers are too far apart, or too close, for a chart"
_MEASURES: Final = ("sum", "mean", "min", "max")
# Colours that stand out from both white and black; text follows the reader's colour scheme.
_STYLE: Final = Style(
    background="transparent",
    plot_background="transparent",
    foreground="#3d4654",
    foreground_strong="#1a1f28",
    foreground_subtle="#dde1e8",
    guide_stroke_color="#dde1e8",
    major_guide_stroke_color="#dde1e8",
    guide_stroke_dasharray="none",
    major_guide_stroke_dasharray="none",
    font_family="system-ui, sans-serif",
    label_font_size=14,
    major_label_font_size=14,
    legend_font_size=14,
    opacity="1",
    stroke_opacity="1",
    stroke_width="2",
    transition="0s",
    colors=("#4577e0", "#d9534a", "#3c9a66", "#c58318", "#9a6ad0", "#2b97a8"),
)
_DARK: Final = (
    "inline:@media (prefers-color-scheme: dark) {"
    " text { fill: #cfd6e0 !important }"
    " .guide, .axis .line, .guides { stroke: #2c333f !important } }"
)
_STEPS: Final = 5
"""So many parts an axis has, more or less."""
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_csv(report: Report) -> str:
    """Return the report as CSV: a line for each period, four values for each column."""
    columns = columns_of(report.rows)
    text = io.StringIO()
    writer = csv.writer(text)
    named = [_as_cell(f"{column} {measure}") for column in columns for measure in _MEASURES]
    writer.writerow(["period", "count", *named])
    for row in report.rows:
        cells: list[object] = [row.period, row.count]
        for column in columns:
            summary = row.values.get(column)
            cells += [getattr(summary, measure) if summary else "" for measure in _MEASURES]
        writer.writerow(cells)
    return text.getvalue()


def _as_cell(text: str) -> str:
    """Keep spreadsheets from running a text, which an uploader chose, as a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def as_svg(report: Report, *, is_narrow: bool = False) -> str:
    """Return a line chart of the means, without scripts or external resources."""
    # Phones would shrink a wide chart, and its text, to half the size.
    width = 340 if is_narrow else 600
    chart = pygal.Line(
        js=(),
        css=("file://style.css", "file://graph.css", _DARK),
        style=_STYLE,
        width=width,
        height=340,
        max_scale=6,
        legend_at_bottom=True,
        legend_at_bottom_columns=width // 150,
        legend_box_size=12,
        show_minor_x_labels=False,
        show_dots=False,
        truncate_label=-1,
        disable_xml_declaration=True,
        no_data_text=NO_NUMBERS,
    )
    title = _as_xml_text(f"{report.source}, {report.type.value}: means")
    chart.add_xml_filter(partial(_titled_and_without_scripts, title))
    chart.x_labels = [row.period for row in report.rows]
    chart.x_labels_major = chart.x_labels[:: max(1, len(report.rows) // (width // 100))]
    values = [each.mean for row in report.rows for each in row.values.values()]
    try:
        chart.y_labels = (
            linear(min(values), max(values), parts=_STEPS).ticks[::-1] if values else ()
        )
    except NoScale:  # pygal would compute a scale without end
        chart.no_data_text = NO_SCALE
        return str(chart.render(is_unicode=True))
    for column in columns_of(report.rows):
        means = [row.values[column].mean if column in row.values else None for row in report.rows]
        chart.add(_as_xml_text(column), means)
    rendered: str = chart.render(is_unicode=True)
    return rendered


def _titled_and_without_scripts(title: str, svg: Element) -> Element:
    """Name the chart for screen readers, and remove the script that pygal embeds even without js.

    The title is not drawn, because the page has a heading.
    """
    element = next(svg.iter("title"), None)
    if element is not None:
        element.text = title
    for parent in list(svg.iter()):
        for script in parent.findall("script"):
            parent.remove(script)
    return svg


def _as_xml_text(text: str) -> str:
    """Replace the control characters that XML cannot contain, not even escaped."""
    return _NOT_XML.sub("\ufffd", text)


def columns_of(rows: Sequence[ReportRow]) -> list[str]:
    """Return the names of the columns that have a number in any period."""
    return list(dict.fromkeys(column for row in rows for column in row.values))
