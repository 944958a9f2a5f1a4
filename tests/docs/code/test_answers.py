"""The JSON that pages show is valid, and has the fields of what the API answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from docs.pages import ROOT, all_pages, blocks, page
from modhost_background_jobs.contracts import WorkflowDetail, WorkflowJob


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"a name is repeated among {[name for name, _ in pairs]}"
    return found


@pytest.mark.parametrize("path", all_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_name_is_repeated(path: Path) -> None:
    for block in blocks(path.read_text("utf-8"), "json"):
        json.loads(block, object_pairs_hook=unrepeated)


def test_a_workflow_has_the_fields_of_its_model() -> None:
    (shown,) = [
        answer
        for answer in map(json.loads, blocks(page("workflows.md"), "json"))
        if isinstance(answer, dict) and "nodes" in answer
    ]
    assert set(shown) == set(WorkflowDetail.model_fields)
    assert set(shown["nodes"]["items"][0]) == set(WorkflowJob.model_fields)
    WorkflowDetail.model_validate(shown)
