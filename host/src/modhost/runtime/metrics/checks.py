"""Start-up checks of the metrics that modules declare."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from modhost.checks import Finding, rules
from modhost.plugins import FoundModule, HookCaller

_RENAME: Final = "Rename one of the two."
_NO_HOOK: Final = (
    "it declares `metrics` and does not implement collect_metrics.",
    "Add their values in that hook.",
)
_NO_METRICS: Final = (
    "it implements collect_metrics and declares no metrics.",
    "Name those that it adds values of in `metrics`.",
)


def check_metrics(
    modules: Sequence[FoundModule], hooks: HookCaller, broken: Collection[str]
) -> Iterator[Finding]:
    """Yield what is wrong with the metrics of modules, but for that of broken ones."""
    owners: dict[str, str] = {}
    for found in modules:
        module, metrics = found.module.name, found.module.metrics
        if module in broken:
            continue
        if bool(metrics) is not hooks.implements(found, "collect_metrics"):
            yield found.finding(rules.UNUSABLE_METRIC, *(_NO_HOOK if metrics else _NO_METRICS))
        for metric in metrics:
            for problem, remedy in metric.problems(module):
                detail = f"{metric.name!r}: {problem}"
                yield found.finding(rules.UNUSABLE_METRIC, detail, remedy)
            for name in metric.exposed:
                if (owner := owners.setdefault(name, module)) != module:
                    detail = f"{name!r} is declared by {owner} and again by {module}."
                    yield found.finding(rules.UNUSABLE_METRIC, detail, _RENAME)
        for name, count in Counter(each.name for each in metrics).items():
            if count > 1:
                detail = f"{name!r} is declared {count} times."
                yield found.finding(rules.UNUSABLE_METRIC, detail, _RENAME)
