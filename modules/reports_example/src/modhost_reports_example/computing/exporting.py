"""A report as a CSV file and as a chart."""

import csv
import io
import re
import sys
from dataclasses import dataclass
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

from modhost_reports_example.contracts import Report

# pygal's finder of plugins, of no use here: Python 3.11 warns of it whenever any import fails.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_MEASURES: Final = ("sum", "mean", "min", "max")
# Colours that stand out from white and from black alike; the words follow the reader's scheme.
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


@dataclass(frozen=True, slots=True)
class _Layout:
    """How large a chart is drawn, in pixels; its words are 14 high whatever its size."""

    width: int
    height: int
    periods: int
    legend_columns: int


_WIDE: Final = _Layout(width=600, height=340, periods=6, legend_columns=4)
# For phones, where a wide one would be shown at half its size, and its words too.
_NARROW: Final = _Layout(width=340, height=340, periods=3, legend_columns=2)


def as_svg(report: Report, *, is_narrow: bool = False) -> str:
    """Return a line chart of the means, without any script or foreign resource."""
    layout = _NARROW if is_narrow else _WIDE
    chart = pygal.Line(
        js=(),
        css=("file://style.css", "file://graph.css", _DARK),
        style=_STYLE,
        width=layout.width,
        height=layout.height,
        max_scale=6,
        legend_at_bottom=True,
        legend_at_bottom_columns=layout.legend_columns,
        legend_box_size=12,
        show_minor_x_labels=False,
        show_dots=False,
        truncate_label=-1,
        disable_xml_declaration=True,
        no_data_text="No numbers",
    )
    chart.add_xml_filter(_without_scripts)
    chart.add_xml_filter(
        partial(_named, _as_xml_text(f"{report.source}, {report.type.value}: means"))
    )
    chart.x_labels = [row.period for row in report.rows]
    chart.x_labels_major = chart.x_labels[:: max(1, len(report.rows) // layout.periods)]
    for column in _columns(report):
        means = [row.values[column].mean if column in row.values else None for row in report.rows]
        chart.add(_as_xml_text(column), means)
    rendered: str = chart.render(is_unicode=True)
    return rendered


def _named(name: str, svg: Element) -> Element:
    """Give the chart a name that is told and not drawn: where it is shown, it has a heading."""
    for title in svg.iter("title"):
        title.text = name
        break
    return svg


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
