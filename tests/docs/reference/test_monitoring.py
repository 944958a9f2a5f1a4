"""The alerts and the dashboard are well-formed, and ask for metrics that there are."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import promql_parser
import pytest
import yaml

from docs.generated.metrics_reference import DECLARED
from docs.pages import DOCS, page

FOLDER: Final = DOCS / "monitoring"
ALERTS: Final[list[dict[str, Any]]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: Final[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
PANELS: Final[list[dict[str, Any]]] = DASHBOARD["panels"]
OF_TARGETS: Final = {"job", "instance"}
"""What Prometheus adds to each series."""
FOREIGN: Final[dict[str, set[str]]] = {
    "up": set(),
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
}


def labels_of_series() -> dict[str, set[str]]:
    """Return the labels of each series that a scrape may have."""
    found = dict(FOREIGN)
    for metric in (each for several in DECLARED.values() for each in several):
        for name in metric.exposed:
            found[name] = {*metric.labels, *(["le"] if name.endswith("_bucket") else [])}
    return found


SERIES: Final = labels_of_series()


class Uses:
    """What an expression asks for; it is parsed by the grammar of Prometheus."""

    def __init__(self, expression: str) -> None:
        self.series: dict[str, set[str]] = {}
        self.grouped_by: list[set[str]] = []
        parsed = promql_parser.parse(expression.replace("$__rate_interval", "5m"))
        promql_parser.walk(parsed, self.note)

    def note(self, node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name is not None
            asked = {each.name for each in node.matchers.matchers}
            self.series.setdefault(node.name, set()).update(asked)
        if isinstance(node, promql_parser.AggregateExpr):
            self.grouped_by.append(set(node.modifier.labels if node.modifier else ()))

    @property
    def labels(self) -> set[str]:
        """The labels that the result may have."""
        own = set().union(*(SERIES[name] for name in self.series), OF_TARGETS)
        return set().union(*self.grouped_by) if self.grouped_by else own

    def check(self) -> None:
        assert self.series
        for name, asked in self.series.items():
            assert name in SERIES, f"there is no series {name}"
            unknown = asked - SERIES[name] - OF_TARGETS
            assert not unknown, f"{name} has no label {unknown}"
        known = set().union(*(SERIES[name] for name in self.series), OF_TARGETS)
        for labels in self.grouped_by:
            assert labels <= known


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
    assert re.fullmatch(r"Modhost[A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "description"}
    uses = Uses(rule["expr"])
    uses.check()
    shown = re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values()))
    assert set(shown) <= uses.labels


def test_the_page_explains_each_alert_and_no_other() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", page("monitoring/index.md"), re.MULTILINE)
    assert explained == [rule["alert"] for rule in ALERTS]


def expressions() -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield f"{panel['title']} {target['refId']}", target["expr"]


@pytest.mark.parametrize("expression", [each[1] for each in expressions()])
def test_a_panel_asks_for_what_there_is(expression: str) -> None:
    uses = Uses(expression)
    uses.check()
    # The variable narrows each of them.
    assert expression.count('job=~"$job"') >= len(uses.series)


def test_the_dashboard_can_be_imported() -> None:
    assert DASHBOARD["schemaVersion"] >= 36
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert variables.keys() == {"datasource", "job"}
    assert re.fullmatch(r"label_values\(modhost_host, job\)", variables["job"]["definition"])
    ids = [panel["id"] for panel in PANELS]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, f"{panel['title']} covers another one"
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert panel["targets"]


@pytest.mark.parametrize(
    "expression",
    ["sum(rate(background_jobs_due[5m])", "no_such_metric", 'background_jobs_due{sort="x"}'],
)
def test_a_mistake_would_be_found(expression: str) -> None:
    with pytest.raises((ValueError, AssertionError)):
        Uses(expression).check()
