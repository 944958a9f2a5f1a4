"""What was measured, as Markdown."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.figures.results import Metric, Results
from benchmarks.targets.all import verdicts

OWN = "modhost"


def as_markdown(results: Sequence[Results], about: Mapping[str, str]) -> str:
    """Return the tables: about the run, the targets, each measurement."""
    parts = [_table(["", ""], [[key, value] for key, value in about.items()])]
    rows = [[v.what, v.target, v.measured, v.word] for v in verdicts(results)]
    parts += ["### Targets", _table(["what", "target", "measured", "met"], rows)]
    for runs in _runs(results):
        parts.append(f"Measured with {runs}.")
    for each in results:
        parts += [f"### {each.title}, {each.dialect}", *each.notes, _figures(each)]
    return "\n\n".join(parts) + "\n"


def _runs(results: Sequence[Results]) -> Iterator[str]:
    """Return the measurements of each run."""
    runs: dict[str, list[str]] = {}
    for each in results:
        made = ", ".join(f"{key} {value}" for key, value in each.made.items())
        runs.setdefault(made, []).append(each.measurement)
    for made, names in runs.items():
        yield f"{made}: {', '.join(dict.fromkeys(names))}"


def _figures(results: Results) -> str:
    metrics = results.metrics
    head = ["", *(f"{metric.name} ({metric.unit})" for metric in metrics)]
    rows = [[row, *_cells(results, row, metrics)] for row in results.figures]
    return _table(head, rows)


def _cells(results: Results, row: str, metrics: Sequence[Metric]) -> Iterator[str]:
    for metric in metrics:
        figure = results.median(row, metric.name)
        own = results.median(OWN, metric.name)
        if figure is None:
            yield ""
        elif row == OWN or not own:
            yield _number(figure)
        else:
            yield f"{_number(figure)} ({figure / own:.2f}x)"


def _number(figure: float) -> str:
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(head) - 1) if len(head) > 2 else ["---"] * len(head)
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
